using Gantry.Engines.Qemu.Monitor;

namespace Gantry.Engines.Keyboard;

/// <summary>Says when the guest can take the next key.</summary>
internal abstract class Pacer(TimeProvider clock)
{
    protected TimeProvider Clock => clock;

    /// <summary>Returns when the guest has taken what it was sent before.</summary>
    /// <exception cref="KeyboardException">It did not within the time allowed.</exception>
    public abstract Task UntilReadyAsync(CancellationToken cancellationToken);

    /// <summary>Tells how long QEMU itself took for the last key.</summary>
    public virtual void Sent(TimeSpan took)
    {
    }

    protected Task PauseAsync(TimeSpan time, CancellationToken cancellationToken) =>
        time > TimeSpan.Zero ? Task.Delay(time, clock, cancellationToken) : Task.CompletedTask;
}

/// <summary>
/// For keyboards that tell nothing back: an interval that grows with the time QEMU takes to answer, since what
/// starves QEMU starves its guest.
/// </summary>
internal sealed class IntervalPacer(TimeSpan least, TimeProvider clock) : Pacer(clock)
{
    private static readonly TimeSpan Most = TimeSpan.FromMilliseconds(500);
    private TimeSpan _average;
    private bool _first = true;

    /// <summary>The pause before the next key.</summary>
    public TimeSpan Interval =>
        TimeSpan.FromTicks(Math.Clamp(_average.Ticks * 8, least.Ticks, Most.Ticks));

    public override Task UntilReadyAsync(CancellationToken cancellationToken)
    {
        var first = _first;
        _first = false;
        return first ? Task.CompletedTask : PauseAsync(Interval, cancellationToken);
    }

    // Up at once, down slowly: a guest that was starved a moment ago has a queue to work off.
    public override void Sent(TimeSpan took) =>
        _average = took > _average ? took : (_average * 0.8) + (took * 0.2);
}

/// <summary>
/// For PS/2: the next scancode goes when the guest has read the last one, that is, when the controller's
/// output-full bit is clear. Its queue has 16 bytes and drops what does not fit.
/// </summary>
internal sealed class I8042Pacer(IQemuMonitor monitor, TimeSpan stallTimeout, TimeProvider clock) : Pacer(clock)
{
    private const byte OutputFull = 1;
    private const uint PagingOn = 0x8000_0000;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(20);
    private (uint Head, uint Tail)? _seen;
    private bool _tailMoves;

    public override async Task UntilReadyAsync(CancellationToken cancellationToken)
    {
        var start = Clock.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            if (!await OutputFullAsync(cancellationToken).ConfigureAwait(false)
                && !await BiosBufferHoldsKeysAsync(cancellationToken).ConfigureAwait(false))
            {
                return;
            }
            if (Clock.GetElapsedTime(start) > stallTimeout)
            {
                throw new KeyboardException(
                    $"the guest has not read its keyboard for {stallTimeout.TotalSeconds:0} s: " +
                    "it hangs, or nothing in it expects keys yet");
            }
            // An idle guest reads within microseconds; a busy one is not helped by being asked more often.
            var pause = TimeSpan.FromMilliseconds(attempt < 3 ? 0 : attempt - 2);
            await PauseAsync(pause < LongestPause ? pause : LongestPause, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> OutputFullAsync(CancellationToken cancellationToken)
    {
        var text = await monitor.HumanMonitorAsync("i /1bx 0x64", cancellationToken).ConfigureAwait(false);
        var status = MonitorText.Port(text)
            ?? throw new KeyboardException($"expected a port's value from QEMU's monitor, found: {text.Trim()}");
        return (status & OutputFull) != 0;
    }

    /// <summary>
    /// The BIOS' interrupt handler reads each scancode at once into a ring of 15 keys, where a boot loader takes
    /// them with int 16h. The ring counts only while the BIOS is in charge: no paging (firmware and boot loaders
    /// for BIOS never turn it on), or a tail that moves as we type. An operating system leaves it as it was.
    /// </summary>
    private async Task<bool> BiosBufferHoldsKeysAsync(CancellationToken cancellationToken)
    {
        var words = MonitorText.Memory(
            await monitor.HumanMonitorAsync("xp /2hx 0x41a", cancellationToken).ConfigureAwait(false));
        if (words.Length != 2)
            return false;
        var now = (Head: words[0], Tail: words[1]);
        _tailMoves |= _seen is { } before && before.Tail != now.Tail;
        _seen = now;
        // The BIOS keeps both between 0x1e and 0x3e, relative to 0x400; anything else is not its ring.
        if (now.Head == now.Tail || !InRing(now.Head) || !InRing(now.Tail))
            return false;
        return _tailMoves || !await PagingAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> PagingAsync(CancellationToken cancellationToken)
    {
        var text = await monitor.HumanMonitorAsync("info registers", cancellationToken).ConfigureAwait(false);
        return MonitorText.Cr0(text) is { } cr0 && (cr0 & PagingOn) != 0;
    }

    private static bool InRing(uint pointer) => pointer is >= 0x1e and < 0x3e && pointer % 2 == 0;
}
