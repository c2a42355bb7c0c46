using System.Text.Json;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Schema;

/// <summary>Values of variables that come from outside the template: the command line, the environment, JSON files.</summary>
public static class VariableInput
{
    /// <summary>
    /// The value that a text given as <c>name=text</c> means for a variable: the text itself where it is to be a
    /// string, number or of any type, otherwise an expression without variables and functions.
    /// </summary>
    /// <param name="source">How diagnostics call the text, such as <c>-var disks</c>.</param>
    /// <param name="text">The text after the equals sign.</param>
    /// <param name="type">The variable's type.</param>
    /// <param name="diagnostics">Gets what is wrong.</param>
    /// <returns>A value of the type; an unknown one after an error.</returns>
    public static HclValue Parse(string source, string text, HclType type, DiagnosticBag diagnostics)
    {
        var file = new SourceFile(source, text);
        HclValue value;
        if (type.Kind is HclTypeKind.String or HclTypeKind.Number or HclTypeKind.Any)
        {
            value = HclValue.String(text);
        }
        else
        {
            var parsed = HclParser.ParseExpression(file);
            diagnostics.AddRange(parsed.Diagnostics);
            if (!parsed.Succeeded)
                return HclValue.Unknown(type);
            var evaluation = new DiagnosticBag();
            value = Evaluator.Evaluate(parsed.Expression, EvaluationScope.Empty, evaluation);
            diagnostics.AddRange(evaluation);
            if (evaluation.HasErrors)
                return HclValue.Unknown(type);
        }
        if (HclConversion.TryConvert(value, type, out var converted, out var error))
            return converted;
        diagnostics.Error(
            file.Span(0, text.Length), "Invalid value for variable", $"The value is not suitable: {error}.");
        return HclValue.Unknown(type);
    }

    /// <summary>The values of a JSON file of variables, by name in the file's order; empty after an error.</summary>
    public static IReadOnlyDictionary<string, HclValue> ParseJsonFile(SourceFile file, DiagnosticBag diagnostics)
    {
        try
        {
            var values = JsonValues.Parse(file.Text);
            if (!values.IsNull && values.Type.Kind == HclTypeKind.Object)
                return values.AsEntries();
            diagnostics.Error(
                file.Span(0, 0),
                "Invalid variables file",
                "A JSON file of variables must hold one object: names and values.");
        }
        catch (HclException exception) when (exception.InnerException is JsonException json)
        {
            diagnostics.Error(Place(file, json), "Invalid JSON", EvaluationRun.Sentence(exception.Message));
        }
        catch (HclException exception)
        {
            diagnostics.Error(file.Span(0, 0), "Invalid variables file", EvaluationRun.Sentence(exception.Message));
        }
        return new Dictionary<string, HclValue>();
    }

    // The exception counts bytes of UTF-8 within the line.
    private static SourceSpan Place(SourceFile file, JsonException exception)
    {
        var line = (int)Math.Min(file.LineCount, (exception.LineNumber ?? 0) + 1);
        var at = file.LineStart(line);
        for (var bytes = exception.BytePositionInLine ?? 0; bytes > 0 && at < file.Text.Length && file.Text[at] != '\n';)
        {
            var width = char.IsSurrogatePair(file.Text, at) ? 2 : 1;
            bytes -= System.Text.Encoding.UTF8.GetByteCount(file.Text.AsSpan(at, width));
            at += width;
        }
        return file.Span(at, Math.Min(at + 1, file.Text.Length));
    }
}
