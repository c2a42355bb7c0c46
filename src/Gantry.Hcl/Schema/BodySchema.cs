using System.Collections.Immutable;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Schema;

/// <summary>An attribute that a body may have.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What its value is converted to.</param>
/// <param name="IsRequired">Whether it must be there.</param>
public sealed record AttributeSchema(string Name, HclType Type, bool IsRequired = false);

/// <summary>A type of block that a body may have.</summary>
public sealed record BlockSchema
{
    /// <summary>Its type.</summary>
    public required string Type { get; init; }

    /// <summary>What its labels mean, as messages call them; their number is the number of labels.</summary>
    public ImmutableArray<string> LabelNames { get; init; } = [];

    /// <summary>What it may hold.</summary>
    public BodySchema Body { get; init; } = new();

    /// <summary>Fewest blocks of this type in one body.</summary>
    public int Min { get; init; }

    /// <summary>Most blocks of this type in one body.</summary>
    public int Max { get; init; } = int.MaxValue;
}

/// <summary>What a body may hold.</summary>
public sealed record BodySchema
{
    /// <summary>Its attributes.</summary>
    public ImmutableArray<AttributeSchema> Attributes { get; init; } = [];

    /// <summary>Its blocks.</summary>
    public ImmutableArray<BlockSchema> Blocks { get; init; } = [];

    /// <summary>
    /// Whether it may hold more, which is left undecoded in <see cref="DecodedBody.Rest"/>; otherwise more is an error.
    /// </summary>
    public bool AllowsMore { get; init; }

    /// <summary>Whether <c>dynamic</c> blocks may make its blocks.</summary>
    public bool AllowsDynamic { get; init; } = true;
}
