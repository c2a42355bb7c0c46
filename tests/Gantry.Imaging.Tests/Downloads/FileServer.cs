using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gantry.Imaging.Tests.Downloads;

/// <summary>A web server of one image, mini.iso, with ranges, that can break off in the middle.</summary>
internal sealed class FileServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private bool _broken;

    public FileServer()
    {
        _listener.Start();
        _loop = LoopAsync();
    }

    public byte[] Content { get; set; } = [];

    public string ETag { get; set; } = "v1";

    /// <summary>Bytes after which the first transfer is cut; null for never.</summary>
    public int? BreakAfter { get; init; }

    public Action? OnBreak { get; set; }

    public TimeSpan Pause { get; init; }

    public Dictionary<string, string> Lists { get; } = [];

    public ConcurrentQueue<string> Requests { get; } = [];

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url(string name) => $"http://127.0.0.1:{Port}/{name}";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        _stop.Dispose();
    }

    private async Task LoopAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _ = ServeAsync(client);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var owned = client;
        await using var stream = client.GetStream();
        var buffer = new byte[8192];
        var length = await stream.ReadAsync(buffer);
        var head = Encoding.ASCII.GetString(buffer, 0, length);
        var name = head.Split(' ')[1].TrimStart('/');
        if (Lists.TryGetValue(name, out var list))
        {
            await WriteAsync(stream, "200 OK", "", Encoding.UTF8.GetBytes(list));
            return;
        }

        if (name != "mini.iso")
        {
            await WriteAsync(stream, "404 Not Found", "", Array.Empty<byte>());
            return;
        }

        Requests.Enqueue(head);
        await Task.Delay(Pause, TimeProvider.System);
        var from = 0;
        if (Header(head, "Range") is { } range && Header(head, "If-Range") == $"\"{ETag}\"")
            from = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
        var more = $"ETag: \"{ETag}\"\r\n"
            + (from > 0 ? $"Content-Range: bytes {from}-{Content.Length - 1}/{Content.Length}\r\n" : "");
        await WriteAsync(stream, from > 0 ? "206 Partial Content" : "200 OK", more, Content.AsMemory(from));
    }

    private async Task WriteAsync(NetworkStream stream, string status, string headers, ReadOnlyMemory<byte> body)
    {
        var head = $"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {body.Length}\r\n{headers}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
        if (BreakAfter is { } limit && !_broken)
        {
            _broken = true;
            await stream.WriteAsync(body[..limit]);
            OnBreak?.Invoke();
            return;
        }

        await stream.WriteAsync(body);
    }

    private static string? Header(string head, string name) =>
        head.Split("\r\n").FirstOrDefault(l => l.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];
}
