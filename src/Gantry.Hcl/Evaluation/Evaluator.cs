using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Evaluation;

/// <summary>Works out the values of expressions.</summary>
public static class Evaluator
{
    /// <summary>
    /// The value of an expression. What cannot be evaluated is an error diagnostic, and an unknown value in its place,
    /// so that one mistake is one error. What depends on an unknown value is unknown.
    /// </summary>
    public static HclValue Evaluate(Expression expression, EvaluationScope scope, DiagnosticBag diagnostics) =>
        new EvaluationRun(scope.Limits, diagnostics).Evaluate(expression, scope);

    /// <summary>The value of an expression, converted to a type; an unknown value of it after an error.</summary>
    public static HclValue EvaluateAs(
        Expression expression, HclType type, EvaluationScope scope, DiagnosticBag diagnostics)
    {
        var value = Evaluate(expression, scope, diagnostics);
        if (HclConversion.TryConvert(value, type, out var converted, out var error))
            return converted;
        diagnostics.Error(expression.Span, "Incorrect value type", $"Inappropriate value: {error}.");
        return HclValue.Unknown(type);
    }
}
