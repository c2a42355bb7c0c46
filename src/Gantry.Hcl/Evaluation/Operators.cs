using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Evaluation;

/// <summary>What the operators do with values.</summary>
internal static class Operators
{
    public static HclValue Unary(EvaluationRun run, UnaryExpression unary, HclValue operand)
    {
        var type = unary.Operator == UnaryOperator.Negate ? HclType.Number : HclType.Bool;
        if (Operand(run, unary.Operand, operand, type) is not { } value)
            return HclValue.Unknown(type);
        if (!value.IsKnown)
            return value;
        var result = unary.Operator == UnaryOperator.Negate
            ? HclValue.Number(-value.AsNumber())
            : HclValue.Bool(!value.AsBool());
        return result.WithMarks(value.Marks);
    }

    /// <summary>The result of a logical operator where its left operand alone decides it, otherwise null.</summary>
    public static HclValue? Decides(BinaryOperator op, HclValue left)
    {
        if (!left.IsKnown || left.IsNull || !HclConversion.TryConvert(left, HclType.Bool, out var value, out _))
            return null;
        return value.AsBool() == (op == BinaryOperator.Or) ? value : null;
    }

    public static HclValue Binary(EvaluationRun run, BinaryExpression binary, HclValue left, HclValue right)
    {
        if (binary.Operator is BinaryOperator.Equal or BinaryOperator.NotEqual)
        {
            var equal = AreEqual(left.Unmark(), right.Unmark());
            var result = equal is { } known ? HclValue.Bool(known == (binary.Operator == BinaryOperator.Equal)) : HclValue.Unknown(HclType.Bool);
            return result.WithMarks(left.AllMarks().Union(right.AllMarks()));
        }
        var isLogical = binary.Operator is BinaryOperator.And or BinaryOperator.Or;
        var operandType = isLogical ? HclType.Bool : HclType.Number;
        var isArithmetic = binary.Operator >= BinaryOperator.Add;
        var resultType = isArithmetic ? HclType.Number : HclType.Bool;
        var a = Operand(run, binary.Left, left, operandType);
        var b = Operand(run, binary.Right, right, operandType);
        if (a is null || b is null)
            return HclValue.Unknown(resultType);
        var marks = a.Marks.Union(b.Marks);
        if (!a.IsKnown || !b.IsKnown)
        {
            // One operand may be enough: false && x, true || x.
            var known = a.IsKnown ? a : b;
            var decided = isLogical && known.IsKnown ? Decides(binary.Operator, known) : null;
            return (decided ?? HclValue.Unknown(resultType)).WithMarks(marks);
        }
        return Compute(binary.Operator, a, b).WithMarks(marks);
    }

    private static HclValue Compute(BinaryOperator op, HclValue a, HclValue b) => op switch
    {
        BinaryOperator.And => HclValue.Bool(a.AsBool() && b.AsBool()),
        BinaryOperator.Or => HclValue.Bool(a.AsBool() || b.AsBool()),
        BinaryOperator.Less => HclValue.Bool(a.AsNumber() < b.AsNumber()),
        BinaryOperator.LessOrEqual => HclValue.Bool(a.AsNumber() <= b.AsNumber()),
        BinaryOperator.Greater => HclValue.Bool(a.AsNumber() > b.AsNumber()),
        BinaryOperator.GreaterOrEqual => HclValue.Bool(a.AsNumber() >= b.AsNumber()),
        BinaryOperator.Add => HclValue.Number(a.AsNumber() + b.AsNumber()),
        BinaryOperator.Subtract => HclValue.Number(a.AsNumber() - b.AsNumber()),
        BinaryOperator.Multiply => HclValue.Number(a.AsNumber() * b.AsNumber()),
        BinaryOperator.Divide => HclValue.Number(a.AsNumber() / b.AsNumber()),
        BinaryOperator.Remainder => HclValue.Number(a.AsNumber() % b.AsNumber()),
        _ => throw new InvalidOperationException($"operator {op}"),
    };

    /// <summary>Whether two values are equal; null where that depends on something unknown.</summary>
    public static bool? AreEqual(HclValue a, HclValue b)
    {
        if (a.IsNull || b.IsNull)
            return a.IsKnown && b.IsKnown ? a.IsNull && b.IsNull : null;
        if (!a.IsKnown || !b.IsKnown)
            return a.Type != HclType.Any && b.Type != HclType.Any && a.Type != b.Type && !a.Type.HasAny && !b.Type.HasAny ? false : null;
        if (a.IsWhollyKnown && b.IsWhollyKnown)
            return a.Equals(b);
        if (a.Type.Kind != b.Type.Kind || a.Length != b.Length)
            return a.Type.Kind == b.Type.Kind && a.Type.Kind == HclTypeKind.Set ? null : false;
        if (a.Type.IsKeyed && !a.AsEntries().Keys.SequenceEqual(b.AsEntries().Keys))
            return false;
        bool? result = true;
        foreach (var (x, y) in a.Children().Zip(b.Children()))
        {
            switch (AreEqual(x, y))
            {
                case false when a.Type.Kind != HclTypeKind.Set:
                    return false;
                case null or false:
                    result = null;
                    break;
                default:
                    break;
            }
        }
        return result;
    }

    private static HclValue? Operand(EvaluationRun run, Expression expression, HclValue value, HclType type)
    {
        if (value.IsNull)
        {
            run.Fail(
                expression.Span,
                "Invalid operand",
                $"Unsuitable value for operand: a {type.FriendlyName} is required, but this is null.");
            return null;
        }
        if (HclConversion.TryConvert(value, type, out var converted, out var error))
            return converted;
        run.Fail(expression.Span, "Invalid operand", $"Unsuitable value for operand: {error}.");
        return null;
    }
}
