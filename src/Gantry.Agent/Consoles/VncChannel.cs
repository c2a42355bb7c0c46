using System.Net.Sockets;
using Gantry.Model.Nodes;

namespace Gantry.Agent.Consoles;

/// <summary>
/// A connection of its own to QEMU's VNC server, which serves many at once and makes each wait for itself only. Bytes
/// pass as they are, except for the one with which a viewer may ask to be alone (<see cref="RfbHandshake"/>). That
/// socket asks for no password: who may connect is decided before.
/// </summary>
internal sealed class VncChannel : IConsoleChannel
{
    /// <summary>A QEMU that ends closes its sockets some time before it is gone.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan EndLook = TimeSpan.FromMilliseconds(20);

    private readonly Socket _socket;
    private readonly Func<bool> _isAlive;
    private readonly TimeProvider _time;
    private readonly RfbHandshake _handshake = new();
    private readonly byte[] _buffer = new byte[ConsoleFrame.MostBytes];
    private ConsoleEnd? _over;

    private VncChannel(Socket socket, Func<bool> isAlive, TimeProvider time)
    {
        _socket = socket;
        _isAlive = isAlive;
        _time = time;
    }

    /// <param name="path">The server's socket.</param>
    /// <param name="isAlive">Whether the machine's QEMU lives.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the connecting.</param>
    /// <exception cref="SocketException">Nothing listens there.</exception>
    public static async Task<VncChannel> OpenAsync(
        string path, Func<bool> isAlive, TimeProvider time, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            return new VncChannel(socket, isAlive, time);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async ValueTask<ConsoleFrame> ReceiveAsync(CancellationToken cancellationToken)
    {
        if (_over is null)
        {
            try
            {
                var count = await _socket.ReceiveAsync(_buffer, cancellationToken).ConfigureAwait(false);
                if (count > 0)
                    return new ConsoleFrame.Data(_buffer.AsMemory(0, count));
            }
            catch (SocketException)
            {
                // A QEMU that is killed resets its connections.
            }

            _over = await ReasonAsync(cancellationToken).ConfigureAwait(false);
        }

        return new ConsoleFrame.Ended(_over);
    }

    public async ValueTask SendAsync(ConsoleFrame frame, CancellationToken cancellationToken)
    {
        if (frame is not ConsoleFrame.Data data)
            return;
        try
        {
            for (var rest = _handshake.Pass(data.Bytes); rest.Length > 0;)
                rest = rest[await _socket.SendAsync(rest, cancellationToken).ConfigureAwait(false)..];
        }
        catch (SocketException)
        {
            // The receiving side tells the end.
        }
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<ConsoleEnd> ReasonAsync(CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        while (_isAlive())
        {
            if (_time.GetElapsedTime(began) > EndPatience)
                return new ConsoleEnd.TakenAway();
            await Task.Delay(EndLook, _time, cancellationToken).ConfigureAwait(false);
        }

        return new ConsoleEnd.MachineStopped();
    }
}
