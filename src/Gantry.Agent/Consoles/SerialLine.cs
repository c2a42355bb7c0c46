using System.Net.Sockets;
using Gantry.Model.Nodes;

namespace Gantry.Agent.Consoles;

/// <summary>
/// A connection to one run's serial line. It is read at once and always, since a guest stalls whose serial line nobody
/// empties; watchers take what they want from the scroll-back. All of them may type.
/// </summary>
internal sealed class SerialLine : IAsyncDisposable
{
    /// <summary>Bytes; what it has more than a watcher gets at first is how far that one may fall behind.</summary>
    private const int Kept = 2 * ConsoleRequest.Serial.MostScrollBack;

    /// <summary>Bytes that may come in the instant between connecting and reading the log.</summary>
    private const int MostCompared = 16 * 1024;

    private readonly Socket _socket;
    private readonly SemaphoreSlim _typing = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;

    private SerialLine(Socket socket, ScrollBack said)
    {
        _socket = socket;
        Said = said;
        _reading = ReadAsync();
    }

    /// <summary>What it said, and that it is over when the machine has stopped.</summary>
    public ScrollBack Said { get; }

    public static async Task<SerialLine> OpenAsync(ISerialPort port, CancellationToken cancellationToken)
    {
        var socket = await port.ConnectAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var said = new ScrollBack(Kept);
            var log = port.ReadLog(ConsoleRequest.Serial.MostScrollBack);
            said.Append(log);
            said.Append(TakeWhatLogLacks(socket, log));
            return new SerialLine(socket, said);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Waits until the guest has taken the bytes; what it can't take because it has ended is dropped.
    /// </summary>
    public async ValueTask TypeAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await _typing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (bytes.Length > 0)
                bytes = bytes[await _socket.SendAsync(bytes, cancellationToken).ConfigureAwait(false)..];
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The reading side tells the end.
        }
        finally
        {
            _typing.Release();
        }
    }

    /// <summary>Disconnects; the machine runs on. Who still watches is told that the node ends.</summary>
    public async ValueTask DisposeAsync()
    {
        Said.Close(new ConsoleEnd.NodeEnds());
        await _stop.CancelAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        _socket.Dispose();
        _stop.Dispose();
    }

    /// <summary>
    /// QEMU writes to its client first and to its log right after, so what the log has of the time since the connection
    /// waits in the socket too. Comparing tells how much.
    /// </summary>
    private static byte[] TakeWhatLogLacks(Socket socket, byte[] log)
    {
        var waiting = new byte[Math.Min(socket.Available, MostCompared)];
        var length = waiting.Length == 0 ? 0 : socket.Receive(waiting);
        return waiting[Overlap(log, waiting.AsSpan(0, length))..length];
    }

    /// <summary>How many bytes at the end of one are the beginning of the other; the most that it can be.</summary>
    internal static int Overlap(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
    {
        for (var length = Math.Min(before.Length, after.Length); length > 0; length--)
        {
            if (before[^length..].SequenceEqual(after[..length]))
                return length;
        }

        return 0;
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int count;
            while ((count = await _socket.ReceiveAsync(buffer, _stop.Token).ConfigureAwait(false)) > 0)
                Said.Append(buffer.AsSpan(0, count));
        }
        catch (SocketException)
        {
            // A QEMU that is killed resets its connections.
        }
        catch (OperationCanceledException)
        {
            return;
        }

        Said.Close(new ConsoleEnd.MachineStopped());
    }
}
