using System.Net;
using System.Net.Sockets;

namespace Gantry.Machines.Tests.Guest;

/// <summary>A listener on loopback that does one thing with each connection, then closes it.</summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _loop;
    private int _open;
    private int _most;
    private int _accepted;

    public FakeServer(Func<Socket, CancellationToken, Task<Socket>> serve)
    {
        _listener.Start();
        _loop = LoopAsync(serve);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int MostAtOnce => _most;

    public int Accepted => _accepted;

    public Task FirstAccepted => _first.Task;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        _stop.Dispose();
    }

    private async Task LoopAsync(Func<Socket, CancellationToken, Task<Socket>> serve)
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                Interlocked.Increment(ref _accepted);
                _most = Math.Max(_most, Interlocked.Increment(ref _open));
                _first.TrySetResult();
                _ = ServeAsync(socket, serve);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(Socket socket, Func<Socket, CancellationToken, Task<Socket>> serve)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var peer = Task.Run(async () =>
        {
            var buffer = new byte[256];
            try
            {
                while (await socket.ReceiveAsync(buffer, gone.Token) > 0)
                {
                }
            }
            catch (SocketException)
            {
                // A reset is an end too.
            }

            await gone.CancelAsync();
        });
        try
        {
            await serve(socket, gone.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
        }

        await gone.CancelAsync();
        socket.Dispose();
        Interlocked.Decrement(ref _open);
        _ = peer.ContinueWith(t => t.Exception, TaskScheduler.Default);
    }
}
