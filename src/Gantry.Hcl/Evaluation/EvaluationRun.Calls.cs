using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Functions;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Evaluation;

/// <summary>Function calls.</summary>
internal sealed partial class EvaluationRun
{
    private HclValue Call(CallExpression call, EvaluationScope scope)
    {
        if (!scope.Functions.TryGet(call.Name, out var function))
        {
            var names = scope.Functions.Names;
            return Fail(
                call.NameSpan,
                names.Any() ? "Call to unknown function" : "Function calls not allowed",
                names.Any()
                    ? $"There is no function named \"{call.Name}\".{Suggestion.Sentence(call.Name, names)}"
                    : "Functions may not be called here.");
        }
        return function.IsSpecial ? CallSpecial(call, function, scope) : CallOrdinary(call, function, scope);
    }

    private HclValue CallSpecial(CallExpression call, HclFunction function, EvaluationScope scope)
    {
        if (call.ExpandsLast)
            return Fail(
                call.Span,
                "Invalid expanding argument",
                $"The arguments of \"{call.Name}\" are expressions, so none can be expanded with an ellipsis.");
        if (!CheckCount(call, function, call.Arguments.Length))
            return HclValue.UnknownOfAnyType;
        return Guarded(
            call, function, () => function.Special!(new SpecialCall(this, call.Arguments, scope, _diagnostics)));
    }

    private HclValue CallOrdinary(CallExpression call, HclFunction function, EvaluationScope scope)
    {
        var before = _diagnostics.Count;
        var arguments = new List<HclValue>();
        foreach (var argument in call.Arguments)
            arguments.Add(Evaluate(argument, scope));
        if (call.ExpandsLast && !Expand(call, arguments))
            return HclValue.UnknownOfAnyType;
        if (!CheckCount(call, function, arguments.Count))
            return HclValue.UnknownOfAnyType;
        var marks = ImmutableSortedSet<string>.Empty;
        var isOpen = false;
        for (var i = 0; i < arguments.Count; i++)
        {
            var parameter = function.ParameterAt(i);
            var span = SpanOfArgument(call, i);
            marks = marks.Union(arguments[i].AllMarks());
            var plain = arguments[i].Unmark();
            if (plain.IsNull && !parameter.AllowsNull)
                return BadArgument(call, parameter, span, "argument must not be null");
            if (!HclConversion.TryConvert(plain, parameter.Type, out var converted, out var error))
                return BadArgument(call, parameter, span, error);
            arguments[i] = converted;
            isOpen |= parameter.AllowsUnknownInside ? !converted.IsKnown && !parameter.AllowsUnknown : !converted.IsWhollyKnown;
        }
        // After an error in an argument there is nothing to say about the call.
        if (isOpen || _diagnostics.Count > before && _diagnostics.Skip(before).Any(
            d => d.Severity == DiagnosticSeverity.Error))
            return HclValue.Unknown(function.ReturnType).WithMarks(marks);
        return Guarded(call, function, () =>
            function.Body!(new FunctionCall(this, [.. arguments], scope))).WithMarks(marks);
    }

    private HclValue Guarded(CallExpression call, HclFunction function, Func<HclValue> body)
    {
        try
        {
            return body();
        }
        catch (HclException exception) when (
            exception.Argument is { } index && index < Math.Max(1, call.Arguments.Length))
        {
            return BadArgument(call, function.ParameterAt(index), SpanOfArgument(call, index), exception.Message);
        }
        catch (HclException exception)
        {
            Fail(
                call.Span,
                "Error in function call",
                $"Call to function \"{call.Name}\" failed: {exception.Message.TrimEnd('.')}.");
            return HclValue.Unknown(function.ReturnType);
        }
    }

    private HclValue BadArgument(CallExpression call, FunctionParameter parameter, SourceSpan span, string error) => Fail(
        span,
        "Invalid function argument",
        $"Invalid value for \"{parameter.Name}\" parameter of function \"{call.Name}\": {error.TrimEnd('.')}.");

    private static SourceSpan SpanOfArgument(CallExpression call, int index) =>
        call.Arguments.IsEmpty ? call.Span : call.Arguments[Math.Min(index, call.Arguments.Length - 1)].Span;

    private bool Expand(CallExpression call, List<HclValue> arguments)
    {
        var last = arguments[^1];
        arguments.RemoveAt(arguments.Count - 1);
        if (last.IsNull || (last.Type != HclType.Any && !last.Type.IsSequence))
        {
            Fail(
                call.Arguments[^1].Span,
                "Invalid expanding argument value",
                "The expanding argument (indicated by ...) must be of a tuple, list, or set type.");
            return false;
        }
        if (!last.IsKnown)
            return false;
        arguments.AddRange(last.AsItems().Select(item => item.WithMarks(last.Marks)));
        return true;
    }

    private bool CheckCount(CallExpression call, HclFunction function, int count)
    {
        if (count < function.MinArguments)
        {
            var missing = function.ParameterAt(count).Name;
            Fail(
                ClosingOf(call),
                "Not enough function arguments",
                $"Function \"{call.Name}\" expects {(function.MaxArguments == function.MinArguments ? "" : "at least ")}"
                + $"{function.MinArguments} argument(s). Missing value for \"{missing}\".");
            return false;
        }
        if (count <= function.MaxArguments)
            return true;
        Fail(
            SpanOfArgument(call, function.MaxArguments),
            "Too many function arguments",
            $"Function \"{call.Name}\" expects {(function.MinArguments == function.MaxArguments ? "only" : "at most")} "
            + $"{function.MaxArguments} argument(s).");
        return false;
    }

    private static SourceSpan ClosingOf(CallExpression call) =>
        call.Span.File.Span(Math.Max(call.Span.StartIndex, call.Span.EndIndex - 1), call.Span.EndIndex);
}
