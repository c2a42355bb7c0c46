using System.Collections.Immutable;

namespace Gantry.Model.State;

/// <summary>One read, done in a transaction whose conditions did not hold: it shows why.</summary>
public abstract record StateRead
{
    private StateRead()
    {
    }

    /// <summary>One key: one entry or none.</summary>
    public sealed record Get(string Key) : StateRead;

    /// <summary>The first <paramref name="Limit"/> keys that begin with a prefix.</summary>
    public sealed record Range(string Prefix, int Limit) : StateRead;
}

/// <summary>The answer to one <see cref="StateRead"/>.</summary>
public sealed record StateReadResult
{
    /// <summary>In ascending order of their keys; empty where nothing was found.</summary>
    public required ImmutableArray<StateEntry> Entries { get; init; }

    /// <inheritdoc/>
    public bool Equals(StateReadResult? other) =>
        other is not null && Entries.AsSpan().SequenceEqual(other.Entries.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => Entries.Length;
}
