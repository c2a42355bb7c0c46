using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;

namespace Gantry.Hcl.Values;

/// <summary>Reads type expressions, such as <c>map(list(string))</c> or <c>object({ a = optional(string, "x") })</c>.</summary>
public static class HclTypeExpression
{
    /// <summary>The type that an expression writes; <see cref="HclType.Any"/> after an error.</summary>
    /// <param name="expression">The expression as it was parsed, not evaluated.</param>
    /// <param name="diagnostics">Gets what is wrong with it.</param>
    public static HclType Read(Expression expression, DiagnosticBag diagnostics)
    {
        try
        {
            return expression switch
            {
                VariableExpression variable => Keyword(variable, diagnostics),
                CallExpression call => Call(call, diagnostics),
                ParenthesesExpression { Inner: var inner } => Read(inner, diagnostics),
                ErrorExpression => HclType.Any,
                _ => Invalid(
                    expression.Span,
                    "A type specification is either a primitive type keyword (bool, number, string) or a complex type "
                    + "constructor call, like list(string).",
                    diagnostics),
            };
        }
        catch (HclException exception)
        {
            return Invalid(expression.Span, exception.Message, diagnostics);
        }
    }

    private static HclType Invalid(SourceSpan span, string detail, DiagnosticBag diagnostics)
    {
        diagnostics.Error(span, "Invalid type specification", detail);
        return HclType.Any;
    }

    private static HclType Keyword(VariableExpression variable, DiagnosticBag diagnostics) => variable.Name switch
    {
        "string" => HclType.String,
        "number" => HclType.Number,
        "bool" => HclType.Bool,
        "any" => HclType.Any,
        "list" or "set" or "map" => Invalid(
            variable.Span,
            $"The {variable.Name} type constructor requires one argument specifying the element type, like {variable.Name}(string).",
            diagnostics),
        "object" => Invalid(
            variable.Span,
            "The object type constructor requires one argument specifying the attribute types and values as a map, like object({ a = string }).",
            diagnostics),
        "tuple" => Invalid(
            variable.Span, "The tuple type constructor requires one argument specifying the element types as a list.", diagnostics),
        _ => Invalid(
            variable.Span,
            $"The keyword \"{variable.Name}\" is not a valid type specification."
            + Suggestion.Sentence(
                variable.Name, ["string", "number", "bool", "any", "list", "set", "map", "object", "tuple"]),
            diagnostics),
    };

    private static HclType Call(CallExpression call, DiagnosticBag diagnostics)
    {
        if (call.Name is not ("list" or "set" or "map" or "tuple" or "object"))
        {
            return Invalid(
                call.Span,
                call.Name == "optional"
                    ? "Only the attributes of an object type can be optional."
                    : $"Keyword \"{call.Name}\" is not a valid type constructor."
                        + Suggestion.Sentence(call.Name, ["list", "set", "map", "object", "tuple"]),
                diagnostics);
        }
        if (call.Arguments.Length != 1 || call.ExpandsLast)
            return Invalid(call.Span, $"The {call.Name} type constructor requires exactly one argument.", diagnostics);
        var argument = call.Arguments[0];
        switch (call.Name)
        {
            case "list":
                return HclType.List(Read(argument, diagnostics));
            case "set":
                return HclType.Set(Read(argument, diagnostics));
            case "map":
                return HclType.Map(Read(argument, diagnostics));
            case "tuple" when argument is TupleExpression tuple:
                return HclType.Tuple(tuple.Items.Select(item => Read(item, diagnostics)).ToList());
            case "object" when argument is ObjectExpression attributes:
                return ReadObject(attributes, diagnostics);
            default:
                return Invalid(
                    argument.Span,
                    call.Name == "tuple"
                        ? "Tuple type constructor requires a list of element types, like tuple([string, number])."
                        : "Object type constructor requires a map whose keys are attribute names and whose values are the "
                            + "corresponding attribute types, like object({ a = string }).",
                    diagnostics);
        }
    }

    private static HclType ReadObject(ObjectExpression constructor, DiagnosticBag diagnostics)
    {
        var attributes = new Dictionary<string, ObjectField>(StringComparer.Ordinal);
        foreach (var item in constructor.Items)
        {
            var name = item.Name ?? (item.Key is LiteralExpression { Value: var key } && key.Type == HclType.String ? key.AsString() : null);
            if (name is null)
                Invalid(item.Key.Span, "Object constructor map keys must be attribute names.", diagnostics);
            else if (!attributes.TryAdd(name, ReadAttribute(item.Value, diagnostics)))
                Invalid(item.Key.Span, $"The attribute \"{name}\" is written twice.", diagnostics);
        }
        return HclType.Object(attributes);
    }

    private static ObjectField ReadAttribute(Expression expression, DiagnosticBag diagnostics)
    {
        if (expression is not CallExpression { Name: "optional" } call)
            return new ObjectField(Read(expression, diagnostics));
        if (call.Arguments.Length is < 1 or > 2 || call.ExpandsLast)
        {
            Invalid(
                call.Span,
                "Optional attribute modifier expects one or two arguments: the type, and a default value.",
                diagnostics);
            return new ObjectField(HclType.Any, IsOptional: true);
        }
        var type = Read(call.Arguments[0], diagnostics);
        if (call.Arguments.Length == 1)
            return new ObjectField(type, IsOptional: true);
        // A default is a constant: it sees neither variables nor functions.
        var value = Evaluator.Evaluate(call.Arguments[1], EvaluationScope.Empty, diagnostics);
        if (HclConversion.TryConvert(value, type, out var converted, out var error))
            return new ObjectField(type, IsOptional: true, converted);
        diagnostics.Error(
            call.Arguments[1].Span,
            "Invalid default value for optional attribute",
            $"This default value is not compatible with the attribute's type constraint: {error}.");
        return new ObjectField(type, IsOptional: true);
    }
}
