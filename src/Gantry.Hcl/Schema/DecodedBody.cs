using System.Collections.Immutable;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Schema;

/// <summary>The value of an attribute, and where it was set.</summary>
/// <param name="Value">The value, of the schema's type; unknown after an error.</param>
/// <param name="Definition">Where it was set.</param>
public sealed record AttributeValue(HclValue Value, AttributeDefinition Definition);

/// <summary>A block whose body was decoded.</summary>
public sealed record DecodedBlock
{
    /// <summary>Its type.</summary>
    public required string Type { get; init; }

    /// <summary>Its labels.</summary>
    public required ImmutableArray<string> Labels { get; init; }

    /// <summary>Its body.</summary>
    public required DecodedBody Body { get; init; }

    /// <summary>Where it was written; for a block made by <c>dynamic</c>, the <c>dynamic</c> block.</summary>
    public required Block Source { get; init; }

    /// <summary>
    /// Whether it stands for any number of blocks, because the collection of its <c>dynamic</c> block is not known yet.
    /// </summary>
    public bool IsUnknown { get; init; }
}

/// <summary>A body decoded after a schema.</summary>
public sealed record DecodedBody
{
    /// <summary>The attributes that were set, by name.</summary>
    public required ImmutableDictionary<string, AttributeValue> Attributes { get; init; }

    /// <summary>The blocks in source order, <c>dynamic</c> ones expanded.</summary>
    public required ImmutableArray<DecodedBlock> Blocks { get; init; }

    /// <summary>What the schema does not name; empty unless it allows more.</summary>
    public required Body Rest { get; init; }

    /// <summary>Where the body stands.</summary>
    public required Body Source { get; init; }

    /// <summary>The scope in which it was decoded, with the iterators of the <c>dynamic</c> blocks around it.</summary>
    public required EvaluationScope Scope { get; init; }

    /// <summary>The value of an attribute; null where it was not set, or was set to null.</summary>
    public HclValue? this[string name] =>
        Attributes.TryGetValue(name, out var attribute) && !attribute.Value.IsNull ? attribute.Value : null;

    /// <summary>A text that is known; null otherwise.</summary>
    public string? Text(string name) => this[name] is { IsKnown: true } value ? value.AsString() : null;

    /// <summary>A truth value that is known; null otherwise.</summary>
    public bool? Bool(string name) => this[name] is { IsKnown: true } value ? value.AsBool() : null;

    /// <summary>A whole number that is known; null otherwise.</summary>
    public long? Integer(string name) =>
        this[name] is { IsKnown: true } value && value.AsNumber().TryToInt64(out var number) ? number : null;

    /// <summary>Texts of a wholly known list or set, nulls left out; null otherwise.</summary>
    public ImmutableArray<string>? Texts(string name) => this[name] is { IsWhollyKnown: true } value
        ? [.. value.AsItems().Where(item => !item.IsNull).Select(item => item.AsString())]
        : null;

    /// <summary>The blocks of a type.</summary>
    public IEnumerable<DecodedBlock> BlocksOf(string type) => Blocks.Where(block => block.Type == type);

    /// <summary>The block of a type that occurs at most once.</summary>
    public DecodedBlock? Block(string type) => BlocksOf(type).FirstOrDefault();
}
