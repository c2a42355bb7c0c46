using System.Collections.Immutable;

namespace Gantry.Model.State;

/// <summary>
/// If all of <see cref="When"/> holds, all of <see cref="Then"/> is done; otherwise nothing is, and
/// <see cref="Else"/> is read, at the same revision at which the conditions were looked at.
/// </summary>
public sealed record StateTransaction
{
    /// <summary>The conditions; none means always.</summary>
    public ImmutableArray<StateCompare> When { get; init; } = [];

    /// <summary>
    /// The changes, which all take place in one revision. No key may be put twice, or put and deleted.
    /// </summary>
    public ImmutableArray<StateOperation> Then { get; init; } = [];

    /// <summary>What to read when the conditions do not hold.</summary>
    public ImmutableArray<StateRead> Else { get; init; } = [];

    /// <summary>Throws unless every home of the state would take this transaction.</summary>
    /// <exception cref="ArgumentException">A bad key, or a key that is put twice or put and deleted.</exception>
    /// <exception cref="StateLimitException">A key, a value or the whole is too large.</exception>
    public void Check()
    {
        CheckCount("conditions in a transaction", When.Length);
        CheckCount("operations in a transaction", Then.Length);
        CheckCount("reads in a transaction", Else.Length);

        long bytes = 0;
        foreach (var compare in When)
            bytes += CheckCompare(compare);
        foreach (var operation in Then)
            bytes += CheckOperation(operation);
        foreach (var read in Else)
            bytes += CheckRead(read);
        if (bytes > StateLimits.MaxTransactionBytes)
            throw new StateLimitException("bytes in a transaction", bytes, StateLimits.MaxTransactionBytes);

        CheckOverlaps();
    }

    /// <inheritdoc/>
    public bool Equals(StateTransaction? other) =>
        other is not null
        && When.AsSpan().SequenceEqual(other.When.AsSpan())
        && Then.AsSpan().SequenceEqual(other.Then.AsSpan())
        && Else.AsSpan().SequenceEqual(other.Else.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(When.Length, Then.Length, Else.Length);

    private static void CheckCount(string what, int found)
    {
        if (found > StateLimits.MaxOperations)
            throw new StateLimitException(what, found, StateLimits.MaxOperations);
    }

    private static long CheckCompare(StateCompare compare)
    {
        if (compare is StateCompare.RangeEmpty range)
        {
            StateLimits.CheckPrefix(range.Prefix);
            return range.Prefix.Length;
        }

        StateLimits.CheckKey(compare.Subject);
        return compare.Subject.Length + (compare is StateCompare.ValueIs value ? value.Value.Length : 0);
    }

    private static long CheckOperation(StateOperation operation)
    {
        switch (operation)
        {
            case StateOperation.Put put:
                StateLimits.CheckKey(put.Key);
                if (put.Value.Length > StateLimits.MaxValueBytes)
                {
                    throw new StateLimitException(
                        $"bytes in the value of '{put.Key}'", put.Value.Length, StateLimits.MaxValueBytes);
                }

                return put.Key.Length + put.Value.Length;
            case StateOperation.Delete delete:
                StateLimits.CheckKey(delete.Key);
                return delete.Key.Length;
            case StateOperation.DeleteRange range:
                StateLimits.CheckPrefix(range.Prefix);
                if (range.Prefix.Length == 0)
                    throw new ArgumentException("A delete-range needs a prefix; an empty one is the whole store.");
                return range.Prefix.Length;
            default:
                throw new InvalidOperationException($"Unknown operation {operation}.");
        }
    }

    private static long CheckRead(StateRead read)
    {
        switch (read)
        {
            case StateRead.Get get:
                StateLimits.CheckKey(get.Key);
                return get.Key.Length;
            case StateRead.Range range:
                StateLimits.CheckPrefix(range.Prefix);
                StateLimits.CheckRangeLimit(range.Limit);
                return range.Prefix.Length;
            default:
                throw new InvalidOperationException($"Unknown read {read}.");
        }
    }

    // etcd refuses such transactions, because the outcome would hang on the order of the operations.
    private void CheckOverlaps()
    {
        if (Then.Length < 2)
            return;

        var puts = new HashSet<string>(StringComparer.Ordinal);
        foreach (var operation in Then)
        {
            if (operation is StateOperation.Put put && !puts.Add(put.Key))
                throw new ArgumentException($"The transaction puts '{put.Key}' twice; one put a key is allowed.");
        }

        foreach (var operation in Then)
        {
            string? both = operation switch
            {
                StateOperation.Delete delete when puts.Contains(delete.Key) => delete.Key,
                StateOperation.DeleteRange range =>
                    puts.FirstOrDefault(key => key.StartsWith(range.Prefix, StringComparison.Ordinal)),
                _ => null,
            };
            if (both is not null)
                throw new ArgumentException($"The transaction both puts and deletes '{both}'; only one is allowed.");
        }
    }
}
