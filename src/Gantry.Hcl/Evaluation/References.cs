using System.Collections.Immutable;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Evaluation;

/// <summary>One step of a traversal: an attribute's name, or a constant key or index.</summary>
/// <param name="Name">The name, or the key where it is a text; null where it is a number.</param>
/// <param name="Index">The index where it is a number; null otherwise.</param>
public readonly record struct TraversalStep(string? Name, HclNumber? Index = null);

/// <summary>A use of a variable, with the constant steps that follow it, such as <c>var.disks[0].size</c>.</summary>
public sealed record Traversal
{
    /// <summary>Name of the variable.</summary>
    public required string Root { get; init; }

    /// <summary>What follows, up to the first step that is not constant.</summary>
    public required ImmutableArray<TraversalStep> Steps { get; init; }

    /// <summary>Where it stands.</summary>
    public required SourceSpan Span { get; init; }

    /// <summary>The name of a step, or null where there is no such step or it is a number.</summary>
    public string? NameAt(int step) => step < Steps.Length ? Steps[step].Name : null;

    /// <summary>As it is written.</summary>
    public override string ToString() =>
        Root + string.Concat(Steps.Select(step => step.Name is null ? $"[{step.Index}]" : $".{step.Name}"));
}

/// <summary>Finds what an expression needs before it is evaluated.</summary>
public static class References
{
    /// <summary>
    /// All uses of variables in an expression, in source order; what loops inside it bind is left out.
    /// </summary>
    public static ImmutableArray<Traversal> Of(Expression expression)
    {
        var walker = new Walker();
        walker.Visit(expression, ImmutableHashSet<string>.Empty);
        return walker.Found.ToImmutable();
    }

    /// <summary>All uses of variables in a body, those of nested blocks too.</summary>
    /// <remarks>The names that a <c>dynamic</c> block binds are among them.</remarks>
    public static ImmutableArray<Traversal> Of(Body body) =>
    [
        .. body.Attributes.SelectMany(attribute => Of(attribute.Expression)),
        .. body.Blocks.SelectMany(block => Of(block.Body)),
    ];

    /// <summary>The traversal that an expression is as a whole, or null if it is something else.</summary>
    public static Traversal? AsTraversal(Expression expression)
    {
        var steps = new List<TraversalStep>();
        var inner = expression;
        while (true)
        {
            switch (inner)
            {
                case AttributeExpression attribute:
                    steps.Add(new TraversalStep(attribute.Name));
                    inner = attribute.Target;
                    break;
                case IndexExpression { Key: LiteralExpression { Value: { IsNull: false } key } } index
                    when key.Type == HclType.String || key.Type == HclType.Number:
                    steps.Add(key.Type == HclType.String ? new(key.AsString()) : new(null, key.AsNumber()));
                    inner = index.Target;
                    break;
                case VariableExpression variable:
                    steps.Reverse();
                    return new Traversal { Root = variable.Name, Steps = [.. steps], Span = expression.Span };
                default:
                    return null;
            }
        }
    }

    private sealed class Walker
    {
        public ImmutableArray<Traversal>.Builder Found { get; } = ImmutableArray.CreateBuilder<Traversal>();

        public void Visit(Expression? expression, ImmutableHashSet<string> bound)
        {
            if (expression is null)
                return;
            if (AsTraversal(expression) is { } traversal)
            {
                if (!bound.Contains(traversal.Root))
                    Found.Add(traversal);
                return;
            }
            switch (expression)
            {
                case ForExpression loop:
                    Visit(loop.Collection, bound);
                    var inFor = Bind(bound, loop.KeyName, loop.ValueName);
                    Visit(loop.Key, inFor);
                    Visit(loop.Value, inFor);
                    Visit(loop.Condition, inFor);
                    break;
                case TemplateForExpression loop:
                    Visit(loop.Collection, bound);
                    Visit(loop.Body, Bind(bound, loop.KeyName, loop.ValueName));
                    break;
                default:
                    foreach (var child in Children(expression))
                        Visit(child, bound);
                    break;
            }
        }

        private static ImmutableHashSet<string> Bind(ImmutableHashSet<string> bound, string? key, string value) =>
            key is null ? bound.Add(value) : bound.Add(key).Add(value);
    }

    private static IEnumerable<Expression> Children(Expression expression) => expression switch
    {
        TemplateExpression template => template.Parts,
        TemplateWrapExpression wrap => [wrap.Inner],
        TemplateIfExpression directive => [directive.Condition, directive.WhenTrue, directive.WhenFalse],
        TupleExpression tuple => tuple.Items,
        ObjectExpression constructor => constructor.Items.SelectMany<ObjectItem, Expression>(
            item => [item.Key, item.Value]),
        ConditionalExpression conditional => [conditional.Condition, conditional.WhenTrue, conditional.WhenFalse],
        UnaryExpression unary => [unary.Operand],
        BinaryExpression binary => [binary.Left, binary.Right],
        ParenthesesExpression parentheses => [parentheses.Inner],
        AttributeExpression attribute => [attribute.Target],
        IndexExpression index => [index.Target, index.Key],
        SplatExpression splat => [splat.Source, splat.Each],
        // The second argument of convert is a type, whose words are no variables.
        CallExpression { Name: "convert", Arguments.Length: 2 } call => [call.Arguments[0]],
        CallExpression call => call.Arguments,
        _ => [],
    };
}
