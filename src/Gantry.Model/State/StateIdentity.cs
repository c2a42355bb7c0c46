namespace Gantry.Model.State;

/// <summary>
/// Which store this is. Part of every ETag, event cursor and epoch that leaves a node: a revision means nothing
/// without the identity that it was read under.
/// </summary>
public sealed record StateIdentity
{
    /// <summary>32 lower-case hexadecimal digits, chosen at random when the store was made.</summary>
    public required string StoreId { get; init; }

    /// <summary>
    /// 1 for a new store; restoring a backup makes the next one. Revisions of two generations do not compare.
    /// </summary>
    public required long Generation { get; init; }
}
