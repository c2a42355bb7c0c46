namespace Gantry.Model.State;

/// <summary>One key with its value as of a revision. Equal when all parts are equal, the value byte by byte.</summary>
public sealed record StateEntry
{
    /// <summary>The whole key, such as <c>machines/100</c>.</summary>
    public required string Key { get; init; }

    /// <summary>
    /// At most <see cref="StateLimits.MaxValueBytes"/> bytes; a JSON document unless the writer says otherwise.
    /// </summary>
    public required ReadOnlyMemory<byte> Value { get; init; }

    /// <summary>The store's revision in which the key came to exist (again, if it had been deleted).</summary>
    public required long CreateRevision { get; init; }

    /// <summary>The store's revision in which the key was last put.</summary>
    public required long ModRevision { get; init; }

    /// <summary>How often the key was put since it came to exist: 1 after the first put.</summary>
    public required long Version { get; init; }

    /// <inheritdoc/>
    public bool Equals(StateEntry? other) =>
        other is not null
        && Key == other.Key
        && CreateRevision == other.CreateRevision
        && ModRevision == other.ModRevision
        && Version == other.Version
        && Value.Span.SequenceEqual(other.Value.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Key, ModRevision, Version);
}
