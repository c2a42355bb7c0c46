using System.Buffers.Binary;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Gantry.EndToEnd.Builds;
using Gantry.EndToEnd.Machines;

namespace Gantry.EndToEnd.Serving;

/// <summary>Consoles over the node's WebSockets, as a browser has them, on a real machine.</summary>
[Collection(nameof(BuildCollection))]
public sealed class ConsoleTests(BuildNode builds) : IAsyncDisposable
{
    private const string Machine = "watched";

    /// <summary>On a busy machine with an emulated guest.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly GantryProgram _gantry = new(builds.Folders.Home);
    private readonly SocketsHttpHandler _handler = new()
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(
                new UnixDomainSocketEndPoint(Path.Combine(builds.Folders.Run, "api.sock")), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    };

    private HttpClient Http => field ??= new HttpClient(_handler) { BaseAddress = new Uri("http://node/api/v1/") };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _gantry.RunAsync("delete", "--force", Machine);
        Http.Dispose();
    }

    [Fact]
    public async Task Serial_IsSeenByTwoWatchersAndATerminal_EchoesWhatIsTyped_AndEndsWithTheMachine()
    {
        await _gantry.OkAsync("launch", "first", "--name", Machine);
        using var one = await OpenAsync("""{"kind":"serial"}""");
        using var two = await OpenAsync("""{"kind":"serial","readOnly":true}""");
        await one.SendAsync("\r"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, Token);
        await SeeAsync(one, "login:");
        await SeeAsync(two, "login:");
        await one.SendAsync("someone\r"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Token);
        Assert.Contains("someone", await SeeAsync(one, "Password:"), StringComparison.Ordinal);
        Assert.Contains("someone", await SeeAsync(two, "Password:"), StringComparison.Ordinal);

        await one.SendAsync("wrong\r"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, Token);
        await SeeAsync(one, "login:");
        await SeeAsync(two, "login:");

        var (code, output, _) = await _gantry.InTerminalAsync(
            $"console {Machine}", ("Leave it with", "terminal"), ("terminal", "\u001d"));
        Assert.Equal(0, code);
        Assert.Contains("Left the console", output, StringComparison.Ordinal);
        await SeeAsync(two, "terminal");
        Assert.Contains("terminal", await Http.GetStringAsync($"machines/{Machine}/logs?lines=50", Token), StringComparison.Ordinal);

        await _gantry.OkAsync("stop", Machine);
        Assert.Equal(4000, await ClosedAsync(one));
        Assert.Equal(4000, await ClosedAsync(two));
        Assert.Equal(409, (await PostAsync($"machines/{Machine}/console", """{"kind":"serial"}""")).Status);
    }

    [Fact]
    public async Task Vnc_GivesAPicture_OfTheScreenshotsSize_ToSeveralViewers()
    {
        await _gantry.OkAsync("launch", "first", "--name", Machine);
        // The display has another size while the guest boots.
        using (var serial = await OpenAsync("""{"kind":"serial"}"""))
        {
            await serial.SendAsync("\r"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, Token);
            await SeeAsync(serial, "login:");
        }

        using var first = await OpenAsync("""{"kind":"vnc"}""", "binary");
        await using var viewer = WebSocketStream.Create(first, WebSocketMessageType.Binary);
        var (width, height) = await GreetAsync(viewer, shared: 1);
        await UpdateAsync(viewer, width, height);

        // One that asks to be alone does not end the other.
        using var second = await OpenAsync("""{"kind":"vnc"}""", "binary");
        await using var alone = WebSocketStream.Create(second, WebSocketMessageType.Binary);
        Assert.Equal((width, height), await GreetAsync(alone, shared: 0));
        await UpdateAsync(alone, width, height);
        Assert.Equal(204, (await PostAsync($"machines/{Machine}/keys", """{"keys":["seen<wait1s>"]}""")).Status);
        await UpdateAsync(viewer, width, height);

        var png = await Http.GetByteArrayAsync($"machines/{Machine}/screenshot", Token);
        Assert.Equal<byte>([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10], png[..8]);
        Assert.Equal(width, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)));
        Assert.Equal(height, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)));
    }

    [Fact]
    public async Task Exec_RunsACommandWithItsStreams_AndALoginShellUnderATerminal()
    {
        await _gantry.OkAsync("launch", "first", "--name", Machine);
        using var command = await OpenAsync("""{"kind":"exec","command":"cat; echo oops >&2; exit 3"}""", "gantry.exec.v1");
        await SendAsync(command, "\0hello\n"u8.ToArray());
        await SendAsync(command, [3]);
        var (output, error, exit) = await RunAsync(command);
        Assert.Equal(("hello\n", "oops\n", 3), (output, error, exit));

        using var shell = await OpenAsync("""{"kind":"exec","terminal":{"columns":100,"rows":30}}""");
        await SendAsync(shell, "\0tty; exit 4\n"u8.ToArray());
        (output, _, exit) = await RunAsync(shell);
        Assert.Contains("/dev/pts/", output, StringComparison.Ordinal);
        Assert.Equal(4, exit);
    }

    /// <summary>RFB 3.8 up to the server's first words of the screen (RFC 6143, 7.1 to 7.3).</summary>
    private static async Task<(int Width, int Height)> GreetAsync(Stream viewer, byte shared)
    {
        Assert.Equal("RFB 003.008\n", Encoding.ASCII.GetString(await ReadAsync(viewer, 12)));
        await viewer.WriteAsync("RFB 003.008\n"u8.ToArray(), Token);
        Assert.Equal((byte[])[1, 1], await ReadAsync(viewer, 2));
        await viewer.WriteAsync((byte[])[1], Token);
        Assert.Equal((byte[])[0, 0, 0, 0], await ReadAsync(viewer, 4));
        await viewer.WriteAsync((byte[])[shared], Token);
        var screen = await ReadAsync(viewer, 24);
        var name = BinaryPrimitives.ReadInt32BigEndian(screen.AsSpan(20));
        Assert.Contains(Machine, Encoding.UTF8.GetString(await ReadAsync(viewer, name)), StringComparison.Ordinal);
        return (BinaryPrimitives.ReadUInt16BigEndian(screen), BinaryPrimitives.ReadUInt16BigEndian(screen.AsSpan(2)));
    }

    /// <summary>Asks for the whole screen, and reads a raw update that shows all of it.</summary>
    private static async Task UpdateAsync(Stream viewer, int width, int height)
    {
        var request = new byte[10];
        request[0] = 3;
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(6), (ushort)width);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(8), (ushort)height);
        await viewer.WriteAsync(request, Token);
        for (var pixels = 0L; pixels < (long)width * height;)
        {
            var head = await ReadAsync(viewer, 4);
            Assert.Equal(0, head[0]);
            for (var rest = BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(2)); rest > 0; rest--)
            {
                var rectangle = await ReadAsync(viewer, 12);
                Assert.Equal(0, BinaryPrimitives.ReadInt32BigEndian(rectangle.AsSpan(8)));
                var size = BinaryPrimitives.ReadUInt16BigEndian(rectangle.AsSpan(4))
                    * BinaryPrimitives.ReadUInt16BigEndian(rectangle.AsSpan(6));
                await ReadAsync(viewer, 4 * size);
                pixels += size;
            }
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int length)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        var bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes, limit.Token);
        return bytes;
    }

    private async Task<ClientWebSocket> OpenAsync(string body, params string[] protocols)
    {
        var (status, ticket) = await PostAsync($"machines/{Machine}/console", body);
        Assert.True(status == 200, ticket.GetRawText());
        var socket = new ClientWebSocket();
        foreach (var protocol in protocols)
            socket.Options.AddSubProtocol(protocol);
        using var invoker = new HttpMessageInvoker(_handler, disposeHandler: false);
        await socket.ConnectAsync(new Uri("ws://node" + ticket.GetProperty("path").GetString()), invoker, Token);
        return socket;
    }

    private async Task<(int Status, JsonElement Body)> PostAsync(string path, string body)
    {
        using var response = await Http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), Token);
        var bytes = await response.Content.ReadAsByteArrayAsync(Token);
        return ((int)response.StatusCode, bytes.Length == 0 ? default : JsonElement.Parse(bytes));
    }

    private static Task SendAsync(ClientWebSocket socket, byte[] message) =>
        socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, Token);

    private static async Task<(WebSocketMessageType Type, byte[] Message)> ReceiveAsync(ClientWebSocket socket)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        var buffer = new byte[4096];
        var message = new List<byte>();
        while (true)
        {
            var piece = await socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
            message.AddRange(buffer.AsSpan(0, piece.Count));
            if (piece.EndOfMessage)
                return (piece.MessageType, [.. message]);
        }
    }

    /// <summary>What comes, until a text is in it.</summary>
    private static async Task<string> SeeAsync(ClientWebSocket socket, string text)
    {
        var seen = "";
        while (!seen.Contains(text, StringComparison.Ordinal))
        {
            var (type, message) = await ReceiveAsync(socket);
            Assert.True(type == WebSocketMessageType.Binary, $"it was closed ({socket.CloseStatusDescription}) after: {seen}");
            seen += Encoding.UTF8.GetString(message);
        }

        return seen;
    }

    private static async Task<int> ClosedAsync(ClientWebSocket socket)
    {
        while ((await ReceiveAsync(socket)).Type != WebSocketMessageType.Close)
        {
        }

        return (int)socket.CloseStatus!.Value;
    }

    private static async Task<(string Output, string Error, int? Exit)> RunAsync(ClientWebSocket socket)
    {
        var (output, error, exit) = ("", "", (int?)null);
        while (true)
        {
            var (type, message) = await ReceiveAsync(socket);
            if (type == WebSocketMessageType.Close)
            {
                Assert.True(socket.CloseStatus == WebSocketCloseStatus.NormalClosure, socket.CloseStatusDescription);
                return (output, error, exit);
            }

            var text = Encoding.UTF8.GetString(message.AsSpan(1));
            if (message[0] == 1)
                output += text;
            else if (message[0] == 2)
                error += text;
            else if (message[0] == 5)
                exit = BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(1));
        }
    }
}
