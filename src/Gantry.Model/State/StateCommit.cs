using System.Collections.Immutable;

namespace Gantry.Model.State;

/// <summary>What became of a transaction.</summary>
public sealed record StateCommit
{
    /// <summary>The conditions held and the operations are done and durable.</summary>
    public required bool Succeeded { get; init; }

    /// <summary>
    /// The store's revision after the transaction. It grows by one for a transaction that changed anything; deleting
    /// what does not exist changes nothing.
    /// </summary>
    public required long Revision { get; init; }

    /// <summary>The answers to the reads, in their order; empty if the transaction succeeded.</summary>
    public required ImmutableArray<StateReadResult> Reads { get; init; }

    /// <inheritdoc/>
    public bool Equals(StateCommit? other) =>
        other is not null && Succeeded == other.Succeeded && Revision == other.Revision
        && Reads.AsSpan().SequenceEqual(other.Reads.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Succeeded, Revision);
}
