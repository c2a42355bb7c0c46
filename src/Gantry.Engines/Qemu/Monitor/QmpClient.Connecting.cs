using System.Net.Sockets;
using System.Text.Json;

namespace Gantry.Engines.Qemu.Monitor;

public sealed partial class QmpClient
{
    /// <summary>The room for a path in sockaddr_un, less its closing zero.</summary>
    private const int MaxPathBytes = 107;

    /// <summary>
    /// Connects to a monitor socket that may not exist yet, is greeted, and leaves negotiation mode.
    /// </summary>
    /// <param name="socketPath">The path given to QEMU; at most 107 bytes, a limit of the kernel.</param>
    /// <exception cref="QmpConnectionException">
    /// Nothing greeted within <see cref="QmpOptions.ConnectTimeout"/>, or it is no QMP server.
    /// </exception>
    public static async Task<QmpClient> ConnectAsync(
        string socketPath, QmpOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new QmpOptions();
        var length = System.Text.Encoding.UTF8.GetByteCount(socketPath);
        if (length > MaxPathBytes)
        {
            throw new QmpConnectionException(
                $"a Unix socket's path has at most {MaxPathBytes} bytes, this one has {length}: {socketPath}");
        }
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timer = new CancellationTokenSource(options.ConnectTimeout, options.Clock);
        using var link = timer.Token.Register(deadline.Cancel);
        Socket? socket = null;
        try
        {
            socket = await DialAsync(socketPath, options, deadline.Token).ConfigureAwait(false);
            return await GreetAsync(socket, socketPath, options, deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket?.Dispose();
            throw new QmpConnectionException(
                $"no QMP greeting on {socketPath} within {options.ConnectTimeout.TotalSeconds:0.#} s: " +
                (socket is not null ? "connected, but QEMU is busy or serves another client on this socket"
                    : File.Exists(socketPath) ? "the socket is there, but nothing accepts on it: is QEMU still running?"
                    : "the socket does not exist: has QEMU started?"));
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
    }

    /// <summary>Takes over a connected stream socket, for example one half of a pair whose other QEMU inherited.</summary>
    /// <param name="name">What to call it in messages.</param>
    public static async Task<QmpClient> AttachAsync(
        Socket socket, string name, QmpOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new QmpOptions();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timer = new CancellationTokenSource(options.ConnectTimeout, options.Clock);
        using var link = timer.Token.Register(deadline.Cancel);
        try
        {
            return await GreetAsync(socket, name, options, deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new QmpConnectionException(
                $"no QMP greeting on {name} within {options.ConnectTimeout.TotalSeconds:0.#} s");
        }
    }

    private static async Task<Socket> DialAsync(string path, QmpOptions options, CancellationToken cancellationToken)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException e) when (IsTooEarly(e))
            {
                socket.Dispose();
                await Task.Delay(TimeSpan.FromMilliseconds(10), options.Clock, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                throw new QmpConnectionException($"cannot connect to the monitor at {path}: {e.Message}", e);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    /// <summary>Not made yet (ENOENT), not listening yet or left over (ECONNREFUSED), backlog full (EAGAIN).</summary>
    private static bool IsTooEarly(SocketException e) =>
        e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.ConnectionRefused
            or SocketError.WouldBlock || e.NativeErrorCode is 2 or 111 or 11;

    private static async Task<QmpClient> GreetAsync(
        Socket socket, string where, QmpOptions options, CancellationToken cancellationToken)
    {
        var client = new QmpClient(socket, where, options);
        try
        {
            var line = await client._lines.ReadAsync(cancellationToken).ConfigureAwait(false)
                ?? throw new QmpConnectionException($"QEMU closed its monitor ({where}) before greeting");
            client.Version = client.ParseGreeting(line);
        }
        catch (SocketException e)
        {
            throw new QmpConnectionException($"reading from {where} failed: {e.Message}", e);
        }
        client._receiving = client.ReceiveLoopAsync();
        try
        {
            await client.ExecuteAsync("qmp_capabilities", null, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        return client;
    }

    private QmpVersion ParseGreeting(ReadOnlyMemory<byte> line)
    {
        var message = Parse(line);
        try
        {
            return QmpVersion.Of(message.GetProperty("QMP"u8));
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new QmpConnectionException(
                $"expected QEMU's greeting from {_where}, found: {Shorten(message.ToString())}", e);
        }
    }
}
