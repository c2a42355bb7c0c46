namespace Gantry.Model.Nodes;

/// <summary>
/// An open console. Frames come in order, and each side waits for the other: who does not receive makes the sender wait
/// where the console can (the guest's SSH and VNC servers) or is dropped as too slow where it can't (the serial line,
/// which others watch too).
/// </summary>
/// <remarks>
/// One receives and one sends at a time; both may go on at once. Cancelling a call leaves the channel as it is, except
/// that a part of what was being sent may have been sent. Disposing hangs up, and is done when no call is under way.
/// </remarks>
public interface IConsoleChannel : IAsyncDisposable
{
    /// <summary>
    /// What the machine says next; the last is a <see cref="ConsoleFrame.Ended"/>, which is given again to who goes on
    /// asking. The bytes of a frame are good until the next call.
    /// </summary>
    ValueTask<ConsoleFrame> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Sends to the machine. What the console has no use for, and what comes after its end, is dropped without a word:
    /// the end is told by <see cref="ReceiveAsync"/>.
    /// </summary>
    ValueTask SendAsync(ConsoleFrame frame, CancellationToken cancellationToken);
}

/// <summary>What goes over a console.</summary>
public abstract record ConsoleFrame
{
    /// <summary>Bytes; senders keep to it, receivers may rely on it.</summary>
    public const int MostBytes = 64 * 1024;

    private ConsoleFrame()
    {
    }

    /// <summary>Both ways: what was said, typed, drawn.</summary>
    public sealed record Data(ReadOnlyMemory<byte> Bytes) : ConsoleFrame;

    /// <summary>From a command: its standard error.</summary>
    public sealed record ErrorData(ReadOnlyMemory<byte> Bytes) : ConsoleFrame;

    /// <summary>To a command: there is no more input.</summary>
    public sealed record EndOfInput : ConsoleFrame;

    /// <summary>To a terminal: its window has another size, in characters.</summary>
    public sealed record Resize(int Columns, int Rows) : ConsoleFrame;

    /// <summary>From the machine: nothing more comes.</summary>
    public sealed record Ended(ConsoleEnd End) : ConsoleFrame;
}

/// <summary>Why a console ended.</summary>
public abstract record ConsoleEnd
{
    private ConsoleEnd()
    {
    }

    /// <summary>The command ended.</summary>
    /// <param name="ExitCode">As a shell would tell it: 128 and more for signals; null when the guest did not
    /// say.</param>
    public sealed record Finished(int? ExitCode) : ConsoleEnd;

    /// <summary>QEMU has ended, or is ending.</summary>
    public sealed record MachineStopped : ConsoleEnd;

    /// <summary>More was said than was received, and the rest is no longer kept.</summary>
    public sealed record TooSlow : ConsoleEnd;

    /// <summary>The machine closed this console while it runs.</summary>
    public sealed record TakenAway : ConsoleEnd;

    /// <summary>The node's program ends; the machine runs on.</summary>
    public sealed record NodeEnds : ConsoleEnd;

    /// <summary>It broke.</summary>
    public sealed record Failed(Problem Problem) : ConsoleEnd;
}
