using System.Collections.Immutable;

namespace Gantry.Hcl.Syntax;

/// <summary>The attributes and blocks of a file or a block, in source order. Immutable.</summary>
public sealed class Body
{
    internal Body(SourceSpan span, ImmutableArray<AttributeDefinition> attributes, ImmutableArray<Block> blocks) =>
        (Span, Attributes, Blocks) = (span, attributes, blocks);

    /// <summary>Where it stands: a whole file, or a block's braces and what is between them.</summary>
    public SourceSpan Span { get; }

    /// <summary>Its attributes in source order; no name twice.</summary>
    public ImmutableArray<AttributeDefinition> Attributes { get; }

    /// <summary>Its blocks in source order.</summary>
    public ImmutableArray<Block> Blocks { get; }

    /// <summary>The attribute of that name, or null.</summary>
    public AttributeDefinition? Attribute(string name) => Attributes.FirstOrDefault(
        attribute => attribute.Name == name);

    /// <summary>The blocks of that type in source order.</summary>
    public IEnumerable<Block> BlocksOf(string type) => Blocks.Where(block => block.Type == type);

    /// <summary>The bodies of several files as one; a repeated attribute is left to the caller to refuse.</summary>
    public static Body Merge(IReadOnlyList<Body> bodies) => new(
        bodies[0].Span,
        [.. bodies.SelectMany(body => body.Attributes)],
        [.. bodies.SelectMany(body => body.Blocks)]);
}

/// <summary><c>name = expression</c> in a body.</summary>
public sealed class AttributeDefinition
{
    internal AttributeDefinition(SourceSpan span, string name, SourceSpan nameSpan, Expression expression) =>
        (Span, Name, NameSpan, Expression) = (span, name, nameSpan, expression);

    /// <summary>Where the whole definition stands.</summary>
    public SourceSpan Span { get; }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>Where the name stands.</summary>
    public SourceSpan NameSpan { get; }

    /// <summary>The value.</summary>
    public Expression Expression { get; }
}

/// <summary>One label of a block.</summary>
/// <param name="Text">The label, escapes decoded.</param>
/// <param name="Span">Where it stands, quotes included.</param>
public readonly record struct BlockLabel(string Text, SourceSpan Span);

/// <summary><c>type "label" { ... }</c> in a body.</summary>
public sealed class Block
{
    internal Block(
        SourceSpan span, string type, SourceSpan typeSpan, ImmutableArray<BlockLabel> labels, Body body) =>
        (Span, Type, TypeSpan, Labels, Body) = (span, type, typeSpan, labels, body);

    /// <summary>Where the whole block stands.</summary>
    public SourceSpan Span { get; }

    /// <summary>The type.</summary>
    public string Type { get; }

    /// <summary>Where the type stands.</summary>
    public SourceSpan TypeSpan { get; }

    /// <summary>The labels in source order.</summary>
    public ImmutableArray<BlockLabel> Labels { get; }

    /// <summary>What is between the braces.</summary>
    public Body Body { get; }

    /// <summary>Where its type and labels stand: what a diagnostic about the whole block underlines.</summary>
    public SourceSpan HeaderSpan => Labels.IsEmpty ? TypeSpan : TypeSpan.Through(Labels[^1].Span);
}
