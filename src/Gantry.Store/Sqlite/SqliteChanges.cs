using Gantry.Model.State;

namespace Gantry.Store.Sqlite;

/// <summary>
/// Tells watchers that there may be something new: at once for commits of this object, after a poll for those of
/// other connections and processes. Polls only while somebody watches.
/// </summary>
internal sealed class SqliteChanges : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Func<CancellationToken, ValueTask<long>> _dataVersion;
    private readonly SqliteStateOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _watchers;
    private Task? _poll;

    /// <param name="dataVersion">A number that changes with every commit of another connection.</param>
    /// <param name="options">Says how often to ask for it.</param>
    public SqliteChanges(Func<CancellationToken, ValueTask<long>> dataVersion, SqliteStateOptions options)
    {
        _dataVersion = dataVersion;
        _options = options;
    }

    /// <summary>Ends with the next change. Take it before reading, so that no change falls between.</summary>
    public Task Next
    {
        get
        {
            lock (_lock)
                return _next.Task;
        }
    }

    public void Wake()
    {
        TaskCompletionSource next;
        lock (_lock)
        {
            next = _next;
            _next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        next.SetResult();
    }

    /// <summary>Polls until the returned object is disposed of.</summary>
    public IDisposable Subscribe()
    {
        lock (_lock)
        {
            _watchers++;
            if (_poll is null || _poll.IsCompleted)
                _poll = PollAsync();
        }

        return new Subscription(this);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        Task? poll;
        lock (_lock)
            poll = _poll;
        if (poll is not null)
            await poll.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Watchers wake, look at the store, and find that it is gone.
        Wake();
        _stop.Dispose();
    }

    private async Task PollAsync()
    {
        // The caller holds the lock.
        await Task.Yield();
        long? seen = null;
        try
        {
            while (!Idle())
            {
                long? now = await LookAsync().ConfigureAwait(false);
                if (now is null || now != seen)
                    Wake();
                seen = now;
                await Task.Delay(_options.PollInterval, _options.Time, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (ObjectDisposedException)
        {
            // The store was closed; the watchers find out by themselves.
        }
    }

    // Null if the store could not be read: the watchers' own next read meets the same trouble and tells their callers.
    private async ValueTask<long?> LookAsync()
    {
        try
        {
            return await _dataVersion(_stop.Token).ConfigureAwait(false);
        }
        catch (StateStoreException)
        {
            return null;
        }
    }

    private bool Idle()
    {
        lock (_lock)
        {
            if (_watchers > 0)
                return false;
            _poll = null;
            return true;
        }
    }

    private sealed class Subscription(SqliteChanges changes) : IDisposable
    {
        public void Dispose()
        {
            lock (changes._lock)
                changes._watchers--;
        }
    }
}
