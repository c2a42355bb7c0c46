using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Gantry.Model;

namespace Gantry.App.Client;

/// <summary>
/// Talks to the node that serves this user's home. Answers are read as they are, without types: making those from JSON
/// takes a short-lived program longer than the request.
/// </summary>
internal sealed class NodeClient : IDisposable
{
    private readonly SocketsHttpHandler _handler;
    private readonly HttpClient _http;

    public NodeClient(string socketPath)
    {
        _handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        _http = new HttpClient(_handler)
        {
            BaseAddress = new Uri("http://node/api/v1/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <returns>The answer; undefined where it has no body.</returns>
    public Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);

    /// <param name="path">Below <c>/api/v1/</c>.</param>
    /// <param name="body">JSON, or null for none.</param>
    /// <param name="cancellationToken">Ends the wait; what was asked for may have happened.</param>
    public Task<JsonElement> PostAsync(string path, string? body, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return SendAsync(request, cancellationToken);
    }

    /// <summary>An answer that is text, line by line as it comes.</summary>
    /// <exception cref="ProblemException">The node refused, or could not be reached.</exception>
    public async IAsyncEnumerable<string> LinesAsync(
        string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw ProblemOf(response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellationToken));
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
            yield return line;
    }

    /// <param name="path">As the node gave it.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <exception cref="ProblemException">The node refused, or could not be reached.</exception>
    public async Task<ClientWebSocket> OpenWebSocketAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            using var invoker = new HttpMessageInvoker(_handler, disposeHandler: false);
            await socket.ConnectAsync(new Uri("ws://node" + path), invoker, cancellationToken);
            return socket;
        }
        catch (WebSocketException e)
        {
            socket.Dispose();
            throw new ProblemException(ProblemKind.Unavailable, $"the node opens no console: {e.Message}", inner: e);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <exception cref="ProblemException">The node refused, or could not be reached.</exception>
    private async Task<JsonElement> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using var sent = request;
            using var response = await _http.SendAsync(sent, cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw ProblemOf(response.StatusCode, body);
            return body.Length == 0 ? default : JsonElement.Parse(body);
        }
        catch (HttpRequestException e)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"the node does not answer: {e.Message}",
                "gantry serve starts one; its log says why it ended", inner: e);
        }
    }

    private static ProblemException ProblemOf(HttpStatusCode status, byte[] body)
    {
        var kind = status switch
        {
            HttpStatusCode.NotFound => ProblemKind.NotFound,
            HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed => ProblemKind.Conflict,
            HttpStatusCode.ServiceUnavailable => ProblemKind.Unavailable,
            HttpStatusCode.GatewayTimeout => ProblemKind.TimedOut,
            HttpStatusCode.InternalServerError => ProblemKind.Failed,
            _ => ProblemKind.InvalidInput,
        };
        try
        {
            var problem = JsonElement.Parse(body);
            return new ProblemException(
                kind, Text(problem, "title") is { Length: > 0 } title ? title : $"the node answered {(int)status}",
                Text(problem, "remedy"), Text(problem, "detail"));
        }
        catch (JsonException)
        {
            return new ProblemException(
                kind, $"the node answered {(int)status}", detail: Encoding.UTF8.GetString(body));
        }
    }

    private static string Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
