namespace Gantry.Model.State;

/// <summary>One change of a transaction.</summary>
public abstract record StateOperation
{
    private StateOperation()
    {
    }

    /// <summary>Makes or replaces a key.</summary>
    public sealed record Put(string Key, ReadOnlyMemory<byte> Value) : StateOperation
    {
        /// <inheritdoc/>
        public bool Equals(Put? other) =>
            other is not null && Key == other.Key && Value.Span.SequenceEqual(other.Value.Span);

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(Key, Value.Length);
    }

    /// <summary>Removes a key; no error if it does not exist.</summary>
    public sealed record Delete(string Key) : StateOperation;

    /// <summary>
    /// Removes every key that begins with a prefix, which may not be empty: nobody means to delete the whole store.
    /// </summary>
    public sealed record DeleteRange(string Prefix) : StateOperation;
}
