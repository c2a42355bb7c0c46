using Gantry.Hcl.Diagnostics;

namespace Gantry.Hcl.Syntax;

/// <summary>What came of parsing a file.</summary>
/// <param name="Body">The body; where there were errors, what could be understood of it.</param>
/// <param name="Diagnostics">Every error found.</param>
public sealed record ParseResult(Body Body, DiagnosticBag Diagnostics)
{
    /// <summary>Whether the file can be used.</summary>
    public bool Succeeded => !Diagnostics.HasErrors;
}

/// <summary>What came of parsing an expression or a template.</summary>
/// <param name="Expression">The expression; an <see cref="ErrorExpression"/> where nothing was understood.</param>
/// <param name="Diagnostics">Every error found.</param>
public sealed record ExpressionResult(Expression Expression, DiagnosticBag Diagnostics)
{
    /// <summary>Whether the expression can be used.</summary>
    public bool Succeeded => !Diagnostics.HasErrors;
}

/// <summary>
/// Parses HCL2's native syntax. Never throws on bad input: it reports every error that it finds,
/// and goes on behind it.
/// </summary>
public static class HclParser
{
    /// <summary>Parses a configuration file.</summary>
    public static ParseResult ParseFile(SourceFile file, HclLimits? limits = null)
    {
        var diagnostics = new DiagnosticBag();
        limits ??= HclLimits.Default;
        if (!CheckLength(file, limits, diagnostics))
            return new ParseResult(new Body(file.Span(0, 0), [], []), diagnostics);
        var parser = new Parser(file, Lexer.Tokenize(file.Text), limits, diagnostics);
        return new ParseResult(parser.ParseWholeBody(), diagnostics);
    }

    /// <summary>Decodes UTF-8 and parses a configuration file.</summary>
    public static ParseResult ParseFile(string name, ReadOnlySpan<byte> utf8, HclLimits? limits = null)
    {
        var decoding = new DiagnosticBag();
        var result = ParseFile(SourceFile.FromBytes(name, utf8, decoding), limits);
        decoding.AddRange(result.Diagnostics);
        return result with { Diagnostics = decoding };
    }

    /// <summary>Parses a text that is one expression; line ends between its parts are blanks.</summary>
    public static ExpressionResult ParseExpression(SourceFile file, HclLimits? limits = null)
    {
        var diagnostics = new DiagnosticBag();
        limits ??= HclLimits.Default;
        if (!CheckLength(file, limits, diagnostics))
            return new ExpressionResult(new ErrorExpression(file.Span(0, 0)), diagnostics);
        var parser = new Parser(file, Lexer.Tokenize(file.Text), limits, diagnostics);
        return new ExpressionResult(parser.ParseWholeExpression(), diagnostics);
    }

    /// <summary>Parses a text that is one expression.</summary>
    public static ExpressionResult ParseExpression(string text, string name = "<expression>") =>
        ParseExpression(new SourceFile(name, text));

    /// <summary>Parses a bare template, as <c>templatefile</c> reads it.</summary>
    public static ExpressionResult ParseTemplate(SourceFile file, HclLimits? limits = null)
    {
        var diagnostics = new DiagnosticBag();
        limits ??= HclLimits.Default;
        if (!CheckLength(file, limits, diagnostics))
            return new ExpressionResult(new ErrorExpression(file.Span(0, 0)), diagnostics);
        var parser = new Parser(file, Lexer.TokenizeTemplate(file.Text), limits, diagnostics);
        return new ExpressionResult(parser.ParseWholeTemplate(), diagnostics);
    }

    private static bool CheckLength(SourceFile file, HclLimits limits, DiagnosticBag diagnostics)
    {
        if (file.Text.Length <= limits.MaxSourceLength)
            return true;
        diagnostics.Error(
            file.Span(0, 0),
            "Source text too large",
            $"It has {file.Text.Length} characters; at most {limits.MaxSourceLength} are accepted.");
        return false;
    }
}
