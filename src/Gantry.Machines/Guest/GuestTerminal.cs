using System.Net.Sockets;
using Gantry.Model;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Gantry.Machines.Guest;

/// <summary>A login shell under a terminal in the guest. Bytes go both ways as they are.</summary>
public sealed class GuestTerminal : IAsyncDisposable
{
    private const int MaxSide = 10_000;

    private readonly ShellStream _stream;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GuestTerminal(ShellStream stream)
    {
        _stream = stream;
        _stream.Closed += (_, _) => _closed.TrySetResult();
        _stream.ErrorOccurred += (_, _) => _closed.TrySetResult();
    }

    /// <summary>Completes when the guest's shell or the connection has ended.</summary>
    public Task Closed => _closed.Task;

    internal static Task<GuestTerminal> OpenAsync(
        GuestShell shell, string terminal, int columns, int rows, CancellationToken cancellationToken,
        IDictionary<TerminalModes, uint>? modes = null)
    {
        var (width, height) = (Clamp(columns), Clamp(rows));
        return Task.Run(
            () =>
            {
                try
                {
                    return new GuestTerminal(
                        shell.Client.CreateShellStream(terminal, width, height, 0, 0, 32 * 1024, modes ?? Modes()));
                }
                catch (Exception e) when (e is SshException or SocketException)
                {
                    throw new ProblemException(
                        ProblemKind.Failed, $"the guest gave no terminal: {e.Message}", inner: e);
                }
            },
            cancellationToken);
    }

    /// <summary>
    /// Copies between the guest and two local streams until the guest's side ends. A local input that ends leaves the
    /// guest's output running.
    /// </summary>
    public async Task AttachAsync(Stream input, Stream output, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = SendAsync(input, stop.Token);
        await ReadAsync(
            bytes =>
            {
                output.Write(bytes);
                output.Flush();
            },
            cancellationToken);
        await stop.CancelAsync();
        // A read from a keyboard can't be cancelled; it is left behind, its end observed.
        _ = sending.ContinueWith(
            t => t.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>Tells the guest that the window has another size, in characters.</summary>
    public void Resize(int columns, int rows)
    {
        if (_closed.Task.IsCompleted)
            return;
        try
        {
            _stream.ChangeWindowSize(Clamp(columns), Clamp(rows), 0, 0);
        }
        catch (Exception e) when (e is SshException or SocketException or ObjectDisposedException)
        {
            _closed.TrySetResult();
        }
    }

    public async ValueTask DisposeAsync() => await Task.Run(_stream.Dispose);

    internal async Task SendAsync(Stream input, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        int count;
        while ((count = await input.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (!Write(buffer.AsSpan(0, count)))
                return;
        }
    }

    /// <summary>False when the guest's side has ended.</summary>
    internal bool Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream.Write(bytes);
            _stream.Flush();
            return true;
        }
        catch (Exception e) when (e is SshException or SocketException or ObjectDisposedException)
        {
            _closed.TrySetResult();
            return false;
        }
    }

    /// <summary>Reads until the guest's side ends, on a thread of its own: the library's stream blocks.</summary>
    internal async Task ReadAsync(ByteSink sink, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.Register(() => Task.Run(_stream.Dispose));
        await Task.Factory.StartNew(
            () =>
            {
                var buffer = new byte[32 * 1024];
                try
                {
                    int count;
                    while ((count = _stream.Read(buffer, 0, buffer.Length)) > 0)
                        sink(buffer.AsSpan(0, count));
                }
                catch (ObjectDisposedException)
                {
                    // Closed by the caller or the guest, which is how it ends.
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        _closed.TrySetResult();
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>The usual settings of a terminal, so that guests whose drivers begin with others behave.</summary>
    private static Dictionary<TerminalModes, uint> Modes() => new()
    {
        [TerminalModes.ECHO] = 1,
        [TerminalModes.TTY_OP_ISPEED] = 38400,
        [TerminalModes.TTY_OP_OSPEED] = 38400,
    };

    private static uint Clamp(int side) => (uint)Math.Clamp(side, 1, MaxSide);
}
