using Gantry.Model.Nodes;

namespace Gantry.Agent.Consoles;

/// <summary>
/// Shares machines' serial lines among watchers. A line is held from its first watcher to its last: nobody at all is
/// connected to a machine that nobody watches, and what it says then is in its log, from which the scroll-back begins.
/// </summary>
internal sealed class SerialBroker : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<MachineKey, SharedLine> _lines = [];
    private bool _ended;

    /// <exception cref="Model.ProblemException">The line can't be had.</exception>
    public async Task<IConsoleChannel> WatchAsync(
        MachineKey machine, ISerialPort port, ConsoleRequest.Serial request, CancellationToken cancellationToken)
    {
        var shared = Join(machine, port);
        try
        {
            var line = await shared.Opening.WaitAsync(cancellationToken).ConfigureAwait(false);
            return new SerialWatch(line, request, () => LeaveAsync(machine, shared));
        }
        catch
        {
            await LeaveAsync(machine, shared).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Ends all consoles; the machines run on.</summary>
    public async ValueTask DisposeAsync()
    {
        List<SharedLine> all;
        lock (_gate)
        {
            _ended = true;
            all = [.. _lines.Values];
            _lines.Clear();
        }

        foreach (var shared in all)
            await shared.DisposeAsync().ConfigureAwait(false);
    }

    private SharedLine Join(MachineKey machine, ISerialPort port)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_ended, this);
            // One whose run has ended stays with its watchers; a new run has a new one.
            if (!_lines.TryGetValue(machine, out var shared) || shared.IsOver)
                _lines[machine] = shared = new SharedLine(port);
            shared.Watchers++;
            return shared;
        }
    }

    private async ValueTask LeaveAsync(MachineKey machine, SharedLine shared)
    {
        lock (_gate)
        {
            if (--shared.Watchers > 0)
                return;
            if (_lines.GetValueOrDefault(machine) == shared)
                _lines.Remove(machine);
        }

        await shared.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A line with those who watch it or wait for its opening.</summary>
    private sealed class SharedLine : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private int _ended;

        public SharedLine(ISerialPort port) =>
            // Not under the broker's lock, and not ended by the one watcher who happened to be first.
            Opening = Task.Run(() => SerialLine.OpenAsync(port, _stop.Token), CancellationToken.None);

        public Task<SerialLine> Opening { get; }

        public int Watchers { get; set; }

        public bool IsOver => Opening.IsFaulted || Opening.IsCanceled
            || (Opening.IsCompletedSuccessfully && Line.Said.IsOver);

        private SerialLine Line => Opening.GetAwaiter().GetResult();

        /// <summary>May be called twice: by the broker's end, and by the last watcher after it.</summary>
        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _ended, 1) != 0)
                return;
            await _stop.CancelAsync().ConfigureAwait(false);
            await ((Task)Opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (Opening.IsCompletedSuccessfully)
                await Line.DisposeAsync().ConfigureAwait(false);
            _stop.Dispose();
        }
    }
}
