using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Gantry.Model.State;

namespace Gantry.Store.Sqlite;

/// <summary>
/// The embedded home of the state: one SQLite file with a write-ahead log, which several processes may use at once.
/// A commit is on the disk before it is acknowledged. The file is made with mode 0600, its folder with 0700.
/// Local file systems only: SQLite's log needs memory that processes share.
/// </summary>
public sealed class SqliteStateStore : IStateStore
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly SqliteConnection _connection;
    private readonly SqliteStateOptions _options;
    private readonly SqliteChanges _changes;
    private bool _disposed;

    private SqliteStateStore(string path, SqliteConnection connection, SqliteStateOptions options)
    {
        Path = path;
        _connection = connection;
        _options = options;
        Identity = SqliteSchema.ReadIdentity(connection, path);
        _changes = new SqliteChanges(ReadDataVersionAsync, options);
    }

    /// <summary>The whole path of the file.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public StateIdentity Identity { get; }

    /// <summary>Opens a state file; makes it, and its folder, if there is none.</summary>
    /// <param name="path">The file. Beside it lie <c>-wal</c> and <c>-shm</c> while it is open.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="cancellationToken">Ends the wait for other processes.</param>
    /// <exception cref="StateStoreException">
    /// Damaged, not ours, newer than this program, or out of reach; the message says what to do.
    /// </exception>
    public static async ValueTask<SqliteStateStore> OpenAsync(
        string path, SqliteStateOptions? options, CancellationToken cancellationToken)
    {
        options ??= new SqliteStateOptions();
        path = System.IO.Path.GetFullPath(path);
        SqliteFiles.Make(path);
        return await RetryAsync(path, "opening it", options, () =>
        {
            SqliteConnection? connection = null;
            try
            {
                connection = SqliteConnection.Open(path);
                SqliteSchema.Prepare(connection, path);
                return new SqliteStateStore(path, connection, options);
            }
            catch
            {
                connection?.RollBack();
                connection?.Dispose();
                throw;
            }
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<StateEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        StateLimits.CheckKey(key);
        return LockedAsync("reading", () => SqliteRows.Get(_connection, key), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<StateRange> RangeAsync(
        string prefix, int limit, string? afterKey, CancellationToken cancellationToken)
    {
        StateLimits.CheckPrefix(prefix);
        StateLimits.CheckRangeLimit(limit);
        return LockedAsync("reading", () => Snapshot(() =>
        {
            var found = SqliteRows.Range(_connection, prefix, afterKey, limit + 1);
            return new StateRange
            {
                Entries = found.Length > limit ? found[..limit] : found,
                More = found.Length > limit,
                Revision = SqliteRows.Revision(_connection),
            };
        }), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<StateCommit> CommitAsync(
        StateTransaction transaction, CancellationToken cancellationToken)
    {
        transaction.Check();
        // Without operations there is nothing to exclude: a snapshot will do.
        string begin = transaction.Then.IsEmpty ? "BEGIN" : "BEGIN IMMEDIATE";
        var (commit, changed) = await LockedAsync(
            "committing", () => Commit(transaction, begin), cancellationToken).ConfigureAwait(false);
        if (changed)
            _changes.Wake();
        return commit;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StateWatchItem> WatchAsync(
        string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        StateLimits.CheckPrefix(prefix);
        ArgumentOutOfRangeException.ThrowIfNegative(fromRevision);
        using var subscription = _changes.Subscribe();
        long next = fromRevision;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var wake = _changes.Next;
            if (next == 0)
            {
                next = await LockedAsync("watching", () => SqliteRows.Revision(_connection), cancellationToken)
                    .ConfigureAwait(false) + 1;
            }

            long from = next;
            var page = await LockedAsync(
                "watching",
                () => Snapshot(() => SqliteHistory.Read(_connection, prefix, from)),
                cancellationToken).ConfigureAwait(false);
            if (next <= page.Compacted)
            {
                yield return new StateWatchItem.Compacted { CompactedRevision = page.Compacted };
                yield break;
            }

            foreach (var item in page.Items)
                yield return item;
            next = Math.Max(next, page.SeenUpTo + 1);
            if (page.SeenUpTo >= page.Head)
                await wake.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Forgets the changes up to and with a revision; what is there stays.</summary>
    public async ValueTask CompactAsync(long revision, CancellationToken cancellationToken)
    {
        await LockedAsync("compacting", () =>
        {
            try
            {
                _connection.Kept("BEGIN IMMEDIATE").Run();
                SqliteHistory.Compact(_connection, revision);
                _connection.Kept("COMMIT").Run();
                return true;
            }
            finally
            {
                _connection.RollBack();
            }
        }, cancellationToken).ConfigureAwait(false);
        _changes.Wake();
    }

    /// <summary>For tests: a file system with room for this many pages.</summary>
    internal void LimitPages(int pages) => _connection.Number($"PRAGMA max_page_count={pages}");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_disposed)
                return;
            _disposed = true;
            _connection.Dispose();
        }
        finally
        {
            _gate.Release();
        }

        await _changes.DisposeAsync().ConfigureAwait(false);
    }

    private (StateCommit Commit, bool Changed) Commit(StateTransaction transaction, string begin)
    {
        try
        {
            _connection.Kept(begin).Run();
            var writer = new SqliteWriter(_connection);
            if (!transaction.When.All(writer.Holds))
            {
                var reads = ImmutableArray.CreateRange(transaction.Else, writer.Read);
                return (new StateCommit { Succeeded = false, Revision = writer.Before, Reads = reads }, false);
            }

            foreach (var operation in transaction.Then)
                writer.Apply(operation);
            long revision = writer.Finish(_options.HistoryRevisions, _options.HistoryBytes);
            if (writer.Changes > 0)
                _connection.Kept("COMMIT").Run();
            return (new StateCommit { Succeeded = true, Revision = revision, Reads = [] }, writer.Changes > 0);
        }
        finally
        {
            _connection.RollBack();
        }
    }

    // Several reads that see one revision.
    private T Snapshot<T>(Func<T> read)
    {
        try
        {
            _connection.Kept("BEGIN").Run();
            return read();
        }
        finally
        {
            _connection.RollBack();
        }
    }

    private ValueTask<long> ReadDataVersionAsync(CancellationToken cancellationToken) => LockedAsync(
        "watching",
        () =>
        {
            var statement = _connection.Kept("PRAGMA data_version");
            try
            {
                return statement.Step() ? statement.Int64(0) : 0;
            }
            finally
            {
                statement.Reset();
            }
        },
        cancellationToken);

    private async ValueTask<T> LockedAsync<T>(string doing, Func<T> action, CancellationToken cancellationToken)
    {
        return await RetryAsync(Path, doing, _options, Exclusive, cancellationToken, _gate).ConfigureAwait(false);

        T Exclusive()
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return action();
        }
    }

    // Tries again while other processes hold the file. The gate is open between two tries, so that reads, which seldom
    // have to wait, go on.
    private static async ValueTask<T> RetryAsync<T>(
        string path,
        string doing,
        SqliteStateOptions options,
        Func<T> action,
        CancellationToken cancellationToken,
        SemaphoreSlim? gate = null)
    {
        long start = options.Time.GetTimestamp();
        while (true)
        {
            if (gate is not null)
                await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                return action();
            }
            catch (SqliteErrorException e)
            {
                if (!e.IsBusy || options.Time.GetElapsedTime(start) > options.BusyTimeout)
                    throw e.ToStoreException(path, doing);
            }
            finally
            {
                gate?.Release();
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), options.Time, cancellationToken).ConfigureAwait(false);
        }
    }
}
