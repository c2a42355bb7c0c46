using System.Runtime.InteropServices;

namespace Gantry.App.Hosting;

/// <summary>
/// Turns SIGINT, SIGTERM and SIGHUP into cancellation, so that a command can clean up; a second signal ends the process
/// at once.
/// </summary>
internal sealed partial class Interruption : IDisposable
{
    /// <summary>Milliseconds.</summary>
    private const int TwiceWithin = 500;

    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _exitCode;
    private long _firstAt = long.MaxValue;

    public CancellationToken Token => _source.Token;

    /// <summary>The exit code of the signal that came; null when none did.</summary>
    public int? ExitCode => Volatile.Read(ref _exitCode) is > 0 and var code ? code : null;

    /// <summary>Called before the process ends at once: shows a hidden cursor again, and the like.</summary>
    public Action? LastWords { get; set; }

    public void Listen()
    {
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
            _registrations.Add(PosixSignalRegistration.Create(signal, Received));
    }

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _source.Dispose();
    }

    internal static int CodeOf(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => ExitCodes.HungUp,
        PosixSignal.SIGTERM => ExitCodes.Terminated,
        _ => ExitCodes.Interrupted,
    };

    private void Received(PosixSignalContext context)
    {
        context.Cancel = true;
        var code = CodeOf(context.Signal);
        var now = Environment.TickCount64;
        if (Interlocked.CompareExchange(ref _exitCode, code, 0) != 0)
        {
            // timeout(1) and some terminals send one signal twice; a person's second one comes later.
            if (now - Volatile.Read(ref _firstAt) < TwiceWithin)
                return;
            LastWords?.Invoke();
            // Not Environment.Exit: it waits for finalizers, and the person has waited long enough.
            _exit(code);
        }

        Volatile.Write(ref _firstAt, now);
        // Not Cancel: what is registered on the token would run here and keep a second signal waiting.
        _ = _source.CancelAsync();
    }

    [LibraryImport("libc")]
    private static partial void _exit(int code);
}
