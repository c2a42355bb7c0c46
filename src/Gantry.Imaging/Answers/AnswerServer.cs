using System.Net;
using System.Net.Sockets;
using System.Text;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.Answers;

// DRAFT
public sealed class AnswerServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, byte[]> _content;
    private readonly string? _folder;
    private readonly Action<string> _log;
    private readonly Task _loop;

    private AnswerServer(TcpListener listener, AnswerFiles files, Action<string> log)
    {
        _listener = listener;
        _folder = files.HttpDirectory;
        _log = log;
        _content = files.HttpContent.ToDictionary(one => "/" + one.Path.TrimStart('/'), one => Encoding.UTF8.GetBytes(one.Content));
        _loop = LoopAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public static AnswerServer Start(AnswerFiles files, int? port, Action<string> log)
    {
        for (var p = port ?? files.HttpPortMin; p <= (port ?? files.HttpPortMax); p++)
        {
            try
            {
                var listener = new TcpListener(IPAddress.Parse(files.HttpBindAddress), p);
                listener.Start();
                return new AnswerServer(listener, files, log);
            }
            catch (SocketException)
            {
            }
        }
        throw new ProblemException(ProblemKind.Unavailable, "no free port for HTTP");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        _stop.Dispose();
    }

    private async Task LoopAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await using var stream = client.GetStream();
                var reader = new StreamReader(stream);
                var line = await reader.ReadLineAsync(_stop.Token) ?? "";
                while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 }) { }
                var path = line.Split(' ') is [_, var p, ..] ? p : "/";
                byte[]? body = _content.GetValueOrDefault(path) ?? (_folder is not null && File.Exists(_folder + path) ? await File.ReadAllBytesAsync(_folder + path) : null);
                _log($"{line} {(body is null ? 404 : 200)}");
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.0 {(body is null ? "404 Not Found" : "200 OK")}\r\nContent-Length: {body?.Length ?? 0}\r\nConnection: close\r\n\r\n"));
                if (body is not null)
                    await stream.WriteAsync(body);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException or IOException)
        {
        }
    }
}
