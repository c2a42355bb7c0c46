namespace Gantry.Model.State;

/// <summary>One condition of a transaction. All of them must hold for its operations to be done.</summary>
public abstract record StateCompare
{
    private StateCompare()
    {
    }

    /// <summary>The key (or, for <see cref="RangeEmpty"/>, the prefix) that is looked at.</summary>
    public abstract string Subject { get; }

    /// <summary>The key exists with exactly this version; 0 means that it does not exist.</summary>
    public sealed record VersionIs(string Key, long Version) : StateCompare
    {
        /// <inheritdoc/>
        public override string Subject => Key;
    }

    /// <summary>The key was last put in exactly this revision; 0 means that it does not exist.</summary>
    public sealed record ModRevisionIs(string Key, long Revision) : StateCompare
    {
        /// <inheritdoc/>
        public override string Subject => Key;
    }

    /// <summary>The key came to exist in exactly this revision; 0 means that it does not exist.</summary>
    public sealed record CreateRevisionIs(string Key, long Revision) : StateCompare
    {
        /// <inheritdoc/>
        public override string Subject => Key;
    }

    /// <summary>The key exists, with whatever value.</summary>
    public sealed record Exists(string Key) : StateCompare
    {
        /// <inheritdoc/>
        public override string Subject => Key;
    }

    /// <summary>The key does not exist.</summary>
    public sealed record Absent(string Key) : StateCompare
    {
        /// <inheritdoc/>
        public override string Subject => Key;
    }

    /// <summary>The key exists and its value is these bytes.</summary>
    public sealed record ValueIs(string Key, ReadOnlyMemory<byte> Value) : StateCompare
    {
        /// <inheritdoc/>
        public override string Subject => Key;

        /// <inheritdoc/>
        public bool Equals(ValueIs? other) =>
            other is not null && Key == other.Key && Value.Span.SequenceEqual(other.Value.Span);

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(Key, Value.Length);
    }

    /// <summary>
    /// No key begins with this prefix: "delete the template only if nothing refers to it". etcd says the same by
    /// comparing the create revision of a range with 0.
    /// </summary>
    public sealed record RangeEmpty(string Prefix) : StateCompare
    {
        /// <inheritdoc/>
        public override string Subject => Prefix;
    }
}
