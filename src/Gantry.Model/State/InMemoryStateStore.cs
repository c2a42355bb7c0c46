using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Gantry.Model.State;

/// <summary>
/// A store that lives and dies with the object: for tests, and for what needs no home. It behaves as the others do,
/// except that nothing is durable.
/// </summary>
public sealed class InMemoryStateStore : IStateStore
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, StateEntry> _entries = new(StringComparer.Ordinal);
    private readonly List<StateWatchItem.Changed> _history = [];
    private readonly int _historyLimit;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _revision = 1;
    private long _compacted = 1;

    /// <param name="identity">Null for one that says that it is a test's.</param>
    /// <param name="historyLimit">How many revisions watches can go back.</param>
    public InMemoryStateStore(StateIdentity? identity = null, int historyLimit = 4096)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(historyLimit, 1);
        Identity = identity ?? new StateIdentity { StoreId = new string('0', 32), Generation = 1 };
        _historyLimit = historyLimit;
    }

    /// <inheritdoc/>
    public StateIdentity Identity { get; }

    /// <inheritdoc/>
    public ValueTask<StateEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        StateLimits.CheckKey(key);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
            return ValueTask.FromResult(_entries.GetValueOrDefault(key));
    }

    /// <inheritdoc/>
    public ValueTask<StateRange> RangeAsync(
        string prefix, int limit, string? afterKey, CancellationToken cancellationToken)
    {
        StateLimits.CheckPrefix(prefix);
        StateLimits.CheckRangeLimit(limit);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var found = Under(prefix, afterKey).Take(limit + 1).ToImmutableArray();
            return ValueTask.FromResult(new StateRange
            {
                Entries = found.Length > limit ? found[..limit] : found,
                More = found.Length > limit,
                Revision = _revision,
            });
        }
    }

    /// <inheritdoc/>
    public ValueTask<StateCommit> CommitAsync(StateTransaction transaction, CancellationToken cancellationToken)
    {
        transaction.Check();
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (!transaction.When.All(Holds))
            {
                return ValueTask.FromResult(new StateCommit
                {
                    Succeeded = false,
                    Revision = _revision,
                    Reads = [.. transaction.Else.Select(Read)],
                });
            }

            CheckDeletions(transaction);
            var changes = ImmutableArray.CreateBuilder<StateChange>();
            foreach (var operation in transaction.Then)
                Apply(operation, _revision + 1, changes);
            if (changes.Count > 0)
                Record(changes.ToImmutable());
            return ValueTask.FromResult(new StateCommit { Succeeded = true, Revision = _revision, Reads = [] });
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StateWatchItem> WatchAsync(
        string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        StateLimits.CheckPrefix(prefix);
        ArgumentOutOfRangeException.ThrowIfNegative(fromRevision);
        long next = fromRevision;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task wake;
            long compacted;
            ImmutableArray<StateWatchItem.Changed> items;
            lock (_gate)
            {
                next = next == 0 ? _revision + 1 : next;
                wake = _changed.Task;
                compacted = _compacted;
                items = [.. _history.Where(changed => changed.Revision >= next)];
                if (next > compacted)
                    next = Math.Max(next, _revision + 1);
            }

            if (next <= compacted)
            {
                yield return new StateWatchItem.Compacted { CompactedRevision = compacted };
                yield break;
            }

            foreach (var item in items)
            {
                ImmutableArray<StateChange> mine =
                    [.. item.Changes.Where(change => change.Key.StartsWith(prefix, StringComparison.Ordinal))];
                if (mine.Length > 0)
                    yield return item with { Changes = mine };
            }

            await wake.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Forgets the changes up to and including a revision; what is there stays.</summary>
    public void Compact(long revision)
    {
        lock (_gate)
        {
            _compacted = Math.Max(_compacted, Math.Min(revision, _revision));
            _history.RemoveAll(changed => changed.Revision <= _compacted);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private IEnumerable<StateEntry> Under(string prefix, string? afterKey = null) =>
        _entries.Values.Where(entry =>
            entry.Key.StartsWith(prefix, StringComparison.Ordinal)
            && (afterKey is null || string.CompareOrdinal(entry.Key, afterKey) > 0));

    private bool Holds(StateCompare compare)
    {
        var entry = _entries.GetValueOrDefault(compare.Subject);
        return compare switch
        {
            StateCompare.VersionIs version => (entry?.Version ?? 0) == version.Version,
            StateCompare.ModRevisionIs mod => (entry?.ModRevision ?? 0) == mod.Revision,
            StateCompare.CreateRevisionIs create => (entry?.CreateRevision ?? 0) == create.Revision,
            StateCompare.Exists => entry is not null,
            StateCompare.Absent => entry is null,
            StateCompare.ValueIs value => entry is not null && entry.Value.Span.SequenceEqual(value.Value.Span),
            StateCompare.RangeEmpty range => !Under(range.Prefix).Any(),
            _ => throw new InvalidOperationException($"Unknown condition {compare}."),
        };
    }

    private StateReadResult Read(StateRead read) => read switch
    {
        StateRead.Get get => new StateReadResult
        {
            Entries = _entries.TryGetValue(get.Key, out var entry) ? [entry] : [],
        },
        StateRead.Range range => new StateReadResult { Entries = [.. Under(range.Prefix).Take(range.Limit)] },
        _ => throw new InvalidOperationException($"Unknown read {read}."),
    };

    private void CheckDeletions(StateTransaction transaction)
    {
        foreach (var range in transaction.Then.OfType<StateOperation.DeleteRange>())
        {
            int found = Under(range.Prefix).Count();
            if (found > StateLimits.MaxDeletedKeys)
            {
                throw new StateLimitException(
                    $"keys to delete under '{range.Prefix}'", found, StateLimits.MaxDeletedKeys);
            }
        }
    }

    private void Apply(StateOperation operation, long revision, ImmutableArray<StateChange>.Builder changes)
    {
        switch (operation)
        {
            case StateOperation.Put put:
                var old = _entries.GetValueOrDefault(put.Key);
                var entry = new StateEntry
                {
                    Key = put.Key,
                    Value = put.Value.ToArray(),
                    CreateRevision = old?.CreateRevision ?? revision,
                    ModRevision = revision,
                    Version = (old?.Version ?? 0) + 1,
                };
                _entries[put.Key] = entry;
                changes.Add(new StateChange { Key = put.Key, Entry = entry });
                break;
            case StateOperation.Delete delete:
                if (_entries.Remove(delete.Key))
                    changes.Add(new StateChange { Key = delete.Key, Entry = null });
                break;
            case StateOperation.DeleteRange range:
                foreach (var gone in Under(range.Prefix).ToArray())
                {
                    _entries.Remove(gone.Key);
                    changes.Add(new StateChange { Key = gone.Key, Entry = null });
                }

                break;
            default:
                throw new InvalidOperationException($"Unknown operation {operation}.");
        }
    }

    private void Record(ImmutableArray<StateChange> changes)
    {
        _revision++;
        _history.Add(new StateWatchItem.Changed { Revision = _revision, Changes = changes });
        if (_history.Count > _historyLimit)
        {
            _compacted = _history[_history.Count - _historyLimit - 1].Revision;
            _history.RemoveRange(0, _history.Count - _historyLimit);
        }

        var wake = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        wake.SetResult();
    }
}
