using System.Collections.Immutable;

namespace Gantry.Model.State;

/// <summary>What a watch yields.</summary>
public abstract record StateWatchItem
{
    private StateWatchItem()
    {
    }

    /// <summary>
    /// Everything that one transaction did under the watched prefix. Revisions come in ascending order, each once;
    /// to resume after this one, watch from <c>Revision + 1</c>.
    /// </summary>
    public sealed record Changed : StateWatchItem
    {
        /// <summary>The store's revision that the transaction made.</summary>
        public required long Revision { get; init; }

        /// <summary>At least one change, in the order in which the transaction made them.</summary>
        public required ImmutableArray<StateChange> Changes { get; init; }

        /// <inheritdoc/>
        public bool Equals(Changed? other) =>
            other is not null && Revision == other.Revision
            && Changes.AsSpan().SequenceEqual(other.Changes.AsSpan());

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(Revision, Changes.Length);
    }

    /// <summary>
    /// Some of what the watcher has not seen is forgotten. The last item of its stream: read the range again, and
    /// watch from the revision after that read's.
    /// </summary>
    public sealed record Compacted : StateWatchItem
    {
        /// <summary>Changes up to and including this revision are forgotten.</summary>
        public required long CompactedRevision { get; init; }
    }
}

/// <summary>One key put or deleted.</summary>
public sealed record StateChange
{
    /// <summary>The whole key.</summary>
    public required string Key { get; init; }

    /// <summary>The entry as this change left it; null if the change deleted it.</summary>
    public required StateEntry? Entry { get; init; }
}
