using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.Answers;

/// <summary>
/// Serves a build's answer files over HTTP to its guest: GET and HEAD, with ranges, one request a connection. It
/// listens from <see cref="Start"/> until it is disposed.
/// </summary>
public sealed class AnswerServer : IAsyncDisposable
{
    private const int MaxRecordedPaths = 10_000;

    private readonly Socket _listener;
    private readonly ServedFiles _files;
    private readonly AnswerServerOptions _options;
    private readonly Action<AnswerAccess>? _onAccess;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _slots;
    private readonly ConcurrentDictionary<Task, bool> _serving = new();
    private readonly ConcurrentDictionary<string, bool> _requested = new(StringComparer.Ordinal);
    private readonly Lock _logGate = new();
    private readonly Task _loop;
    private bool _disposed;

    private AnswerServer(
        Socket listener, ServedFiles files, AnswerServerOptions options, TimeProvider time, Action<AnswerAccess>? onAccess)
    {
        _listener = listener;
        _files = files;
        _options = options;
        _time = time;
        _onAccess = onAccess;
        _slots = new SemaphoreSlim(options.MaxConnections, options.MaxConnections);
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        _loop = Task.Run(AcceptAsync);
    }

    public int Port { get; }

    /// <summary>
    /// Paths that were found and served, wholly or in part, in the order of their bytes; at most 10,000.
    /// </summary>
    public IReadOnlyList<string> RequestedPaths => [.. _requested.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Begins to listen on a free port of the range, tried from a random one on.</summary>
    /// <param name="onAccess">Gets each request when it has been answered, never two at once.</param>
    /// <exception cref="ProblemException">The folder is missing, the address is not the host's, no port is free.</exception>
    public static AnswerServer Start(
        AnswerServerOptions options, IEntropy entropy, TimeProvider time, Action<AnswerAccess>? onAccess)
    {
        var files = new ServedFiles(options.Directory, options.Content);
        if (!IPAddress.TryParse(options.BindAddress, out var address))
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"'{options.BindAddress}' is no IP address to serve answer files on",
                "give an address of this host, 127.0.0.1 or 0.0.0.0");
        }

        if (options.PortMin is < 1 or > 65535 || options.PortMax is < 1 or > 65535 || options.PortMin > options.PortMax)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{options.PortMin} to {options.PortMax} is no range of ports",
                "set http_port_min and http_port_max within 1 to 65535, the smaller first");
        }

        var count = options.PortMax - options.PortMin + 1;
        var first = entropy.Next(count);
        for (var i = 0; i < count; i++)
        {
            var port = options.PortMin + ((first + i) % count);
            if (TryListen(address, port) is { } listener)
                return new AnswerServer(listener, files, options, time, onAccess);
        }

        throw new ProblemException(
            ProblemKind.Unavailable,
            count == 1
                ? $"port {options.PortMin} on {address} is not free to serve answer files"
                : $"none of the ports {options.PortMin} to {options.PortMax} on {address} is free to serve answer files",
            "end what uses them, or choose others with http_port_min and http_port_max");
    }

    /// <summary>Serves what a template's source asks for.</summary>
    /// <param name="port">The only port to use (a resumed layer's guest knows it); null for a free one of the range.</param>
    /// <param name="onLine">Gets a line for each request, never two at once.</param>
    /// <exception cref="ProblemException">As the other; also when the port is taken.</exception>
    public static AnswerServer Start(AnswerOptions answers, int? port, Action<string> onLine) => Start(
        Options(answers) with { PortMin = port ?? answers.HttpPortMin, PortMax = port ?? answers.HttpPortMax },
        SystemEntropy.Instance,
        TimeProvider.System,
        access => onLine(access.ToString()));

    /// <summary>A source's answer files as this server's options.</summary>
    public static AnswerServerOptions Options(AnswerOptions answers) => new()
    {
        Directory = answers.HttpDirectory,
        Content = answers.HttpContent.Select(file => KeyValuePair.Create(file.Path, file.Content)).ToValueList(),
        BindAddress = answers.HttpBindAddress,
        PortMin = answers.HttpPortMin,
        PortMax = answers.HttpPortMax,
    };

    /// <summary>SHA-256 over the paths and contents of all that can be asked for, in hexadecimal digits.</summary>
    public Task<string> ContentDigestAsync(CancellationToken cancellationToken) => _files.DigestAsync(cancellationToken);

    /// <summary>The same without a server, for a build that is only planned.</summary>
    public static Task<string> ContentDigestAsync(AnswerServerOptions options, CancellationToken cancellationToken) =>
        new ServedFiles(options.Directory, options.Content).DigestAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        await _stop.CancelAsync();
        _listener.Dispose();
        await _loop;
        await Task.WhenAll(_serving.Keys);
        _stop.Dispose();
        _slots.Dispose();
    }

    /// <summary>Listening itself is the test of whether a port is free: there is nothing to lose a race to.</summary>
    private static Socket? TryListen(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(128);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            if (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
                return null;
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"could not listen on {address} to serve answer files: {e.Message}",
                "set http_bind_address to an address of this host",
                inner: e);
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _slots.WaitAsync(_stop.Token);
                Socket client;
                try
                {
                    client = await _listener.AcceptAsync(_stop.Token);
                }
                catch
                {
                    _slots.Release();
                    throw;
                }

                var serving = ServeAsync(client);
                _serving[serving] = true;
                _ = serving.ContinueWith(
                    done => _serving.TryRemove(done, out _),
                    CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // A client that went away before it was accepted.
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            await using var stream = new NetworkStream(client, ownsSocket: true);
            var name = client.RemoteEndPoint?.ToString() ?? "unknown";
            var access = await new AnswerExchange(_files, _options, _time).RunAsync(stream, name, _stop.Token);
            if (access is null)
                return;
            if (access.Status is 200 or 206 && _requested.Count < MaxRecordedPaths)
                _requested[access.Path] = true;
            lock (_logGate)
                _onAccess?.Invoke(access);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client went away, or the server stops; what was sent until then has been logged or never began.
        }
        finally
        {
            _slots.Release();
        }
    }
}
