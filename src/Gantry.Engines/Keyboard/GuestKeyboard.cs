using System.Text.Json.Nodes;
using Gantry.Engines.Qemu.Monitor;

namespace Gantry.Engines.Keyboard;

/// <summary>
/// Types at a QEMU machine as fast as the guest reads and no faster, so that a starved guest loses nothing.
/// For one user at a time. Disposing stops watching the machine; it does not release held keys.
/// </summary>
public sealed class GuestKeyboard : IKeyboard, IDisposable
{
    private static readonly TimeSpan UsbInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan VirtioInterval = TimeSpan.FromMilliseconds(10);

    private const int MostRefusals = 20;

    private readonly IQemuMonitor _monitor;
    private readonly GuestKeyboardOptions _options;
    private readonly RunStateWatch _state;
    private readonly HashSet<string> _held = new(StringComparer.Ordinal);
    private readonly List<Pacer> _pacers = [];

    private GuestKeyboard(IQemuMonitor monitor, KeyboardHardware hardware, GuestKeyboardOptions options)
    {
        _monitor = monitor;
        _options = options;
        Hardware = hardware;
        _state = new RunStateWatch(monitor, options.Notice);
        if (hardware.HasFlag(KeyboardHardware.I8042))
            _pacers.Add(new I8042Pacer(monitor, options.StallTimeout, options.Clock));
        // Of several keyboards QEMU serves the one that was activated last, and does not tell which that is.
        if (hardware.HasFlag(KeyboardHardware.Usb) || hardware == KeyboardHardware.None)
            _pacers.Add(new IntervalPacer(UsbInterval, options.Clock));
        else if (hardware.HasFlag(KeyboardHardware.Virtio))
            _pacers.Add(new IntervalPacer(VirtioInterval, options.Clock));
    }

    /// <summary>The keyboards that the machine has.</summary>
    public KeyboardHardware Hardware { get; }

    /// <summary>The keys that are down.</summary>
    public IReadOnlySet<string> Held => _held;

    /// <summary>How many key events were delivered.</summary>
    public long Sent { get; private set; }

    /// <summary>Looks at the machine's devices to choose the pacing.</summary>
    public static async Task<GuestKeyboard> OpenAsync(
        IQemuMonitor monitor, GuestKeyboardOptions? options = null, CancellationToken cancellationToken = default)
    {
        var hardware = await KeyboardProbe.FindAsync(monitor, cancellationToken).ConfigureAwait(false);
        return new GuestKeyboard(monitor, hardware, options ?? new GuestKeyboardOptions());
    }

    /// <summary>Presses and releases a key with its modifiers. If it fails, what it pressed is released.</summary>
    public async Task PressAsync(KeyStroke stroke, CancellationToken cancellationToken)
    {
        var before = _held.ToHashSet(StringComparer.Ordinal);
        try
        {
            foreach (var next in stroke.Events(before))
                await SendAsync(next, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await ReleaseAsync(_held.Except(before).ToArray()).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Types a text in a layout.</summary>
    /// <exception cref="ArgumentException">The layout lacks a character; nothing was typed.</exception>
    public async Task TypeAsync(string text, KeyboardLayout layout, CancellationToken cancellationToken)
    {
        foreach (var stroke in layout.StrokesFor(text))
            await PressAsync(stroke, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Sends one key event once the guest has read the one before, waiting while the machine is paused. Exactly
    /// once: an event that QEMU dropped because the machine stopped at that moment is sent again.
    /// </summary>
    /// <exception cref="KeyboardException">The machine ended or does not read its keyboard.</exception>
    public async Task SendAsync(KeyEvent next, CancellationToken cancellationToken)
    {
        if (!QKeyCode.IsKnown(next.Key))
            throw new ArgumentException($"there is no key called '{next.Key}'", nameof(next));
        var refusals = 0;
        while (true)
        {
            try
            {
                if (await TrySendAsync(next, cancellationToken).ConfigureAwait(false))
                    break; // else the machine stopped in between, and QEMU dropped the key
            }
            catch (QmpException) when (++refusals < MostRefusals)
            {
                _state.Doubt(); // QEMU refuses keys for a machine that is not running
            }
        }
        Sent++;
        if (next.Down)
            _held.Add(next.Key);
        else
            _held.Remove(next.Key);
        if (_options.MinimumInterval > TimeSpan.Zero)
            await Task.Delay(_options.MinimumInterval, _options.Clock, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Releases every key that is down, without waiting for the guest; does not fail.</summary>
    public Task ReleaseAllAsync() => ReleaseAsync([.. _held]);

    public void Dispose() => _state.Dispose();

    private async Task<bool> TrySendAsync(KeyEvent next, CancellationToken cancellationToken)
    {
        await _state.UntilRunningAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (var pacer in _pacers)
                await pacer.UntilReadyAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (KeyboardException) when (!_state.RanAt(long.MaxValue))
        {
            return false; // a paused guest reads nothing
        }
        var start = _options.Clock.GetTimestamp();
        var answer = await ExecuteAsync(next, cancellationToken).ConfigureAwait(false);
        foreach (var pacer in _pacers)
            pacer.Sent(_options.Clock.GetElapsedTime(start));
        return _state.RanAt(answer.AfterEvent);
    }

    private async Task ReleaseAsync(IReadOnlyList<string> keys)
    {
        foreach (var key in keys)
        {
            _held.Remove(key);
            try
            {
                await ExecuteAsync(new KeyEvent(key, false), CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is QmpException or QmpConnectionException or TimeoutException)
            {
                return; // a machine that is gone holds no keys
            }
        }
    }

    private Task<QmpAnswer> ExecuteAsync(KeyEvent next, CancellationToken cancellationToken) =>
        _monitor.ExecuteInOrderAsync(
            "input-send-event",
            new JsonObject
            {
                ["events"] = new JsonArray(new JsonObject
                {
                    ["type"] = "key",
                    ["data"] = new JsonObject
                    {
                        ["down"] = next.Down,
                        ["key"] = new JsonObject { ["type"] = "qcode", ["data"] = next.Key },
                    },
                }),
            },
            cancellationToken);
}
