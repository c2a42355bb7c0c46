using Gantry.Engines.Qemu.Monitor;

namespace Gantry.Engines.Keyboard;

/// <summary>
/// Knows whether the machine runs, and whether it ran when a command was executed. QEMU takes input for a stopped
/// machine, reports success and drops it, so the question has to be asked before and after each key.
/// </summary>
internal sealed class RunStateWatch(IQemuMonitor monitor, Action<string>? notice) : IDisposable
{
    private readonly QmpSubscription _events = monitor.Subscribe("STOP", "RESUME", "SHUTDOWN", "GUEST_PANICKED");
    private bool _running;

    /// <summary>Returns once the machine runs.</summary>
    /// <exception cref="KeyboardException">It never will: it is shut down or broken.</exception>
    public async Task UntilRunningAsync(CancellationToken cancellationToken)
    {
        RanAt(long.MaxValue);
        if (_running)
            return;
        var told = false;
        while (true)
        {
            var answer = await monitor.ExecuteInOrderAsync("query-status", null, cancellationToken)
                .ConfigureAwait(false);
            var status = answer.Value.GetProperty("status"u8).GetString() ?? "";
            if (status is "shutdown" or "guest-panicked" or "internal-error" or "postmigrate")
                throw new KeyboardException($"keys cannot be typed: the machine's state is '{status}'");
            RanAt(answer.AfterEvent, status is "running" or "suspended");
            if (_running)
                return;
            if (!told)
                notice?.Invoke($"the machine is not running ('{status}'): typing goes on when it does");
            told = true;
            Apply(await _events.NextAsync(cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>
    /// Whether the machine ran when the command was executed whose answer came after that event. Later events
    /// count for the present only.
    /// </summary>
    /// <param name="known">What the answer itself said of it.</param>
    public bool RanAt(long afterEvent, bool? known = null)
    {
        bool? then = null;
        while (_events.TryNext(out var happened))
        {
            if (happened!.Number > afterEvent)
            {
                then ??= known ?? _running;
                _running = then.Value;
                known = null;
            }
            Apply(happened);
        }
        if (then is null)
            _running = known ?? _running;
        return then ?? _running;
    }

    /// <summary>Makes the next wait ask QEMU.</summary>
    public void Doubt()
    {
        RanAt(long.MaxValue);
        _running = false;
    }

    public void Dispose() => _events.Dispose();

    private void Apply(QmpEvent happened) => _running = happened.Name == "RESUME";
}
