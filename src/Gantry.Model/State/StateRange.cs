using System.Collections.Immutable;

namespace Gantry.Model.State;

/// <summary>A page of the keys under a prefix, all read at one revision.</summary>
public sealed record StateRange
{
    /// <summary>In ascending byte order of their keys.</summary>
    public required ImmutableArray<StateEntry> Entries { get; init; }

    /// <summary>
    /// There are more keys under the prefix after the last one here: ask again with its key as afterKey.
    /// </summary>
    public required bool More { get; init; }

    /// <summary>The store's revision as of this read. A watch from the next one misses nothing.</summary>
    public required long Revision { get; init; }

    /// <inheritdoc/>
    public bool Equals(StateRange? other) =>
        other is not null && More == other.More && Revision == other.Revision
        && Entries.AsSpan().SequenceEqual(other.Entries.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Entries.Length, More, Revision);
}
