namespace Gantry.Hcl;

/// <summary>
/// Bounds on everything that a source text can make grow. Exceeding one is an error diagnostic,
/// never a stack overflow or an exhausted memory.
/// </summary>
public sealed record HclLimits
{
    /// <summary>The limits used where a caller gives none.</summary>
    public static HclLimits Default { get; } = new();

    /// <summary>Largest source text, in UTF-16 code units.</summary>
    public int MaxSourceLength { get; init; } = 4 << 20;

    /// <summary>Deepest nesting of blocks, expressions and templates; also the deepest syntax tree.</summary>
    public int MaxNesting { get; init; } = 200;

    /// <summary>Syntax nodes that one evaluation may visit, loops counted every time round.</summary>
    public long MaxSteps { get; init; } = 2_000_000;

    /// <summary>Longest string that an evaluation may make, in UTF-16 code units.</summary>
    public int MaxStringLength { get; init; } = 16 << 20;

    /// <summary>Most elements in one collection made by an evaluation.</summary>
    public int MaxElements { get; init; } = 200_000;

    /// <summary>Most numbers that <c>range</c> may make (the limit of HCL's own implementation).</summary>
    public int MaxRange { get; init; } = 1024;

    /// <summary>Most blocks that the <c>dynamic</c> blocks of one decoded body may make together.</summary>
    public int MaxDynamicBlocks { get; init; } = 10_000;
}
