using System.Collections.Immutable;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Syntax;

/// <summary>A node of the expression tree. Immutable; the family is closed.</summary>
public abstract class Expression
{
    private protected Expression(SourceSpan span, int depth)
    {
        Span = span;
        Depth = depth;
    }

    /// <summary>Where it stands in the source.</summary>
    public SourceSpan Span { get; }

    /// <summary>Height of the tree below and including this node.</summary>
    internal int Depth { get; }

    private protected static int Above(params ReadOnlySpan<Expression?> children)
    {
        var depth = 0;
        foreach (var child in children)
            depth = Math.Max(depth, child?.Depth ?? 0);
        return depth + 1;
    }

    private protected static int Above(ImmutableArray<Expression> children) => Above(children.AsSpan()!);
}

/// <summary>A number, <c>true</c>, <c>false</c>, <c>null</c>, or a string or key without interpolation.</summary>
public sealed class LiteralExpression : Expression
{
    internal LiteralExpression(SourceSpan span, HclValue value)
        : base(span, 1) => Value = value;

    /// <summary>What it stands for.</summary>
    public HclValue Value { get; }
}

/// <summary>Something that could not be parsed; evaluates to an unknown value without a further diagnostic.</summary>
public sealed class ErrorExpression : Expression
{
    internal ErrorExpression(SourceSpan span)
        : base(span, 1)
    {
    }
}

/// <summary>A quoted template, heredoc or bare template: parts that are converted to strings and joined.</summary>
public sealed class TemplateExpression : Expression
{
    internal TemplateExpression(SourceSpan span, ImmutableArray<Expression> parts)
        : base(span, Above(parts)) => Parts = parts;

    /// <summary>Literals, interpolated expressions and directives in order.</summary>
    public ImmutableArray<Expression> Parts { get; }
}

/// <summary>A template that is one interpolation and nothing else: its value is passed on unconverted.</summary>
public sealed class TemplateWrapExpression : Expression
{
    internal TemplateWrapExpression(SourceSpan span, Expression inner)
        : base(span, Above(inner)) => Inner = inner;

    /// <summary>The interpolated expression.</summary>
    public Expression Inner { get; }
}

/// <summary><c>%{ if }</c>.</summary>
public sealed class TemplateIfExpression : Expression
{
    internal TemplateIfExpression(SourceSpan span, Expression condition, Expression whenTrue, Expression whenFalse)
        : base(span, Above(condition, whenTrue, whenFalse)) =>
        (Condition, WhenTrue, WhenFalse) = (condition, whenTrue, whenFalse);

    /// <summary>What decides.</summary>
    public Expression Condition { get; }

    /// <summary>The template taken when it holds.</summary>
    public Expression WhenTrue { get; }

    /// <summary>The template taken otherwise; empty where there is no <c>else</c>.</summary>
    public Expression WhenFalse { get; }
}

/// <summary><c>%{ for }</c>.</summary>
public sealed class TemplateForExpression : Expression
{
    internal TemplateForExpression(
        SourceSpan span, string? keyName, string valueName, Expression collection, Expression body)
        : base(span, Above(collection, body)) =>
        (KeyName, ValueName, Collection, Body) = (keyName, valueName, collection, body);

    /// <summary>Name of the key or index, or null where it has none.</summary>
    public string? KeyName { get; }

    /// <summary>Name of the element.</summary>
    public string ValueName { get; }

    /// <summary>What is gone through.</summary>
    public Expression Collection { get; }

    /// <summary>The template repeated.</summary>
    public Expression Body { get; }
}

/// <summary><c>[a, b]</c>.</summary>
public sealed class TupleExpression : Expression
{
    internal TupleExpression(SourceSpan span, ImmutableArray<Expression> items)
        : base(span, Above(items)) => Items = items;

    /// <summary>The elements.</summary>
    public ImmutableArray<Expression> Items { get; }
}

/// <summary>One pair of an object constructor.</summary>
public sealed class ObjectItem
{
    internal ObjectItem(Expression key, string? name, Expression value) => (Key, Name, Value) = (key, name, value);

    /// <summary>The key: a literal where a bare name was written.</summary>
    public Expression Key { get; }

    /// <summary>The bare name, or null where the key is an expression.</summary>
    public string? Name { get; }

    /// <summary>The value.</summary>
    public Expression Value { get; }
}

/// <summary><c>{ a = b }</c>.</summary>
public sealed class ObjectExpression : Expression
{
    internal ObjectExpression(SourceSpan span, ImmutableArray<ObjectItem> items)
        : base(span, 1 + items.Select(item => Math.Max(item.Key.Depth, item.Value.Depth)).DefaultIfEmpty().Max()) =>
        Items = items;

    /// <summary>The pairs in source order.</summary>
    public ImmutableArray<ObjectItem> Items { get; }
}

/// <summary><c>[for k, v in c: x if p]</c> or <c>{for k, v in c: x => y... if p}</c>.</summary>
public sealed class ForExpression : Expression
{
    internal ForExpression(
        SourceSpan span,
        string? keyName,
        string valueName,
        Expression collection,
        Expression? key,
        Expression value,
        Expression? condition,
        bool groups)
        : base(span, Above(collection, key, value, condition))
    {
        KeyName = keyName;
        ValueName = valueName;
        Collection = collection;
        Key = key;
        Value = value;
        Condition = condition;
        Groups = groups;
    }

    /// <summary>Name of the key or index, or null where it has none.</summary>
    public string? KeyName { get; }

    /// <summary>Name of the element.</summary>
    public string ValueName { get; }

    /// <summary>What is gone through.</summary>
    public Expression Collection { get; }

    /// <summary>The key of the result; null where the result is a tuple.</summary>
    public Expression? Key { get; }

    /// <summary>The value of the result.</summary>
    public Expression Value { get; }

    /// <summary>Which elements are taken; null takes all.</summary>
    public Expression? Condition { get; }

    /// <summary>Whether values of equal keys are gathered into tuples (<c>...</c>).</summary>
    public bool Groups { get; }
}

/// <summary><c>a ? b : c</c>.</summary>
public sealed class ConditionalExpression : Expression
{
    internal ConditionalExpression(SourceSpan span, Expression condition, Expression whenTrue, Expression whenFalse)
        : base(span, Above(condition, whenTrue, whenFalse)) =>
        (Condition, WhenTrue, WhenFalse) = (condition, whenTrue, whenFalse);

    /// <summary>What decides.</summary>
    public Expression Condition { get; }

    /// <summary>The value when it holds.</summary>
    public Expression WhenTrue { get; }

    /// <summary>The value otherwise.</summary>
    public Expression WhenFalse { get; }
}

/// <summary>The operators before one operand.</summary>
public enum UnaryOperator
{
    /// <summary><c>-</c></summary>
    Negate,
    /// <summary><c>!</c></summary>
    Not,
}

/// <summary><c>-a</c> or <c>!a</c>.</summary>
public sealed class UnaryExpression : Expression
{
    internal UnaryExpression(SourceSpan span, UnaryOperator op, Expression operand)
        : base(span, Above(operand)) => (Operator, Operand) = (op, operand);

    /// <summary>The operator.</summary>
    public UnaryOperator Operator { get; }

    /// <summary>What it applies to.</summary>
    public Expression Operand { get; }
}

/// <summary>The operators between two operands.</summary>
public enum BinaryOperator
{
    /// <summary><c>||</c></summary>
    Or,
    /// <summary><c>&amp;&amp;</c></summary>
    And,
    /// <summary><c>==</c></summary>
    Equal,
    /// <summary><c>!=</c></summary>
    NotEqual,
    /// <summary><c>&lt;</c></summary>
    Less,
    /// <summary><c>&lt;=</c></summary>
    LessOrEqual,
    /// <summary><c>&gt;</c></summary>
    Greater,
    /// <summary><c>&gt;=</c></summary>
    GreaterOrEqual,
    /// <summary><c>+</c></summary>
    Add,
    /// <summary><c>-</c></summary>
    Subtract,
    /// <summary><c>*</c></summary>
    Multiply,
    /// <summary><c>/</c></summary>
    Divide,
    /// <summary><c>%</c></summary>
    Remainder,
}

/// <summary><c>a + b</c> and the like.</summary>
public sealed class BinaryExpression : Expression
{
    internal BinaryExpression(SourceSpan span, BinaryOperator op, Expression left, Expression right)
        : base(span, Above(left, right)) => (Operator, Left, Right) = (op, left, right);

    /// <summary>The operator.</summary>
    public BinaryOperator Operator { get; }

    /// <summary>Left operand.</summary>
    public Expression Left { get; }

    /// <summary>Right operand.</summary>
    public Expression Right { get; }
}

/// <summary><c>(a)</c>.</summary>
public sealed class ParenthesesExpression : Expression
{
    internal ParenthesesExpression(SourceSpan span, Expression inner)
        : base(span, Above(inner)) => Inner = inner;

    /// <summary>What is inside.</summary>
    public Expression Inner { get; }
}

/// <summary>A variable by its name.</summary>
public sealed class VariableExpression : Expression
{
    internal VariableExpression(SourceSpan span, string name)
        : base(span, 1) => Name = name;

    /// <summary>The name.</summary>
    public string Name { get; }
}

/// <summary><c>a.b</c>.</summary>
public sealed class AttributeExpression : Expression
{
    internal AttributeExpression(SourceSpan span, Expression target, string name, SourceSpan nameSpan)
        : base(span, Above(target)) => (Target, Name, NameSpan) = (target, name, nameSpan);

    /// <summary>What is looked into.</summary>
    public Expression Target { get; }

    /// <summary>The attribute.</summary>
    public string Name { get; }

    /// <summary>Where the name stands.</summary>
    public SourceSpan NameSpan { get; }
}

/// <summary><c>a[b]</c>, and the old <c>a.0</c>.</summary>
public sealed class IndexExpression : Expression
{
    internal IndexExpression(SourceSpan span, Expression target, Expression key)
        : base(span, Above(target, key)) => (Target, Key) = (target, key);

    /// <summary>What is looked into.</summary>
    public Expression Target { get; }

    /// <summary>The key or index.</summary>
    public Expression Key { get; }
}

/// <summary><c>a.*.b</c> or <c>a[*].b[0]</c>.</summary>
public sealed class SplatExpression : Expression
{
    internal SplatExpression(SourceSpan span, Expression source, SplatElementExpression element, Expression each)
        : base(span, Above(source, each)) => (Source, Element, Each) = (source, element, each);

    /// <summary>What is gone through.</summary>
    public Expression Source { get; }

    /// <summary>Stands for the current element inside <see cref="Each"/>.</summary>
    public SplatElementExpression Element { get; }

    /// <summary>What is made of each element.</summary>
    public Expression Each { get; }
}

/// <summary>The current element of the splat that it belongs to.</summary>
public sealed class SplatElementExpression : Expression
{
    internal SplatElementExpression(SourceSpan span)
        : base(span, 1)
    {
    }
}

/// <summary><c>f(a, b...)</c>.</summary>
public sealed class CallExpression : Expression
{
    internal CallExpression(
        SourceSpan span, string name, SourceSpan nameSpan, ImmutableArray<Expression> arguments, bool expandsLast)
        : base(span, Above(arguments)) =>
        (Name, NameSpan, Arguments, ExpandsLast) = (name, nameSpan, arguments, expandsLast);

    /// <summary>Name of the function, with <c>::</c> where it has a namespace.</summary>
    public string Name { get; }

    /// <summary>Where the name stands.</summary>
    public SourceSpan NameSpan { get; }

    /// <summary>The arguments.</summary>
    public ImmutableArray<Expression> Arguments { get; }

    /// <summary>Whether the last argument is a list whose elements are the arguments (<c>...</c>).</summary>
    public bool ExpandsLast { get; }
}
