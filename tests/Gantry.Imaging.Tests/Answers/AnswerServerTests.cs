using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Gantry.Imaging.Answers;
using Gantry.Model;

namespace Gantry.Imaging.Tests.Answers;

public sealed class AnswerServerTests : IDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("gantry-answers-").FullName;
    private readonly HttpClient _client = new();
    private readonly List<AnswerAccess> _log = [];
    private readonly SemaphoreSlim _logged = new(0);

    public AnswerServerTests()
    {
        Directory.CreateDirectory($"{Root}/sub");
        File.WriteAllText($"{Root}/preseed.cfg", "d-i locale");
        File.WriteAllText($"{Root}/sub/a b%.txt", "odd");
        File.WriteAllText($"{_parent}/secret", "secret");
        File.CreateSymbolicLink($"{Root}/out", $"{_parent}/secret");
        File.CreateSymbolicLink($"{Root}/out-folder", _parent);
        File.CreateSymbolicLink($"{Root}/inside", "sub/a b%.txt");
    }

    private string Root => $"{_parent}/root";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _logged.Dispose();
        Directory.Delete(_parent, recursive: true);
    }

    private void Log(AnswerAccess access)
    {
        _log.Add(access);
        _logged.Release();
    }

    [Fact]
    public async Task Get_File_IsServedAndLogged()
    {
        await using var server = Start();
        // Each is logged when it has been answered: a moment after its client has the answer, and may ask for more.
        Assert.Equal("d-i locale", await _client.GetStringAsync(Url(server, "/preseed.cfg?x=1"), Token));
        await _logged.WaitAsync(Token);
        Assert.Equal("odd", await _client.GetStringAsync(Url(server, "/sub/a%20b%25.txt"), Token));
        await _logged.WaitAsync(Token);
        Assert.Equal("odd", await _client.GetStringAsync(Url(server, "/inside"), Token));
        await server.DisposeAsync();
        Assert.Equal(["/preseed.cfg", "/sub/a b%.txt", "/inside"], _log.Select(a => a.Path));
        Assert.All(_log, a => Assert.Equal((200, "GET"), (a.Status, a.Method)));
        Assert.Equal(10, _log[0].Bytes);
        Assert.Matches(@"^127\.0\.0\.1:\d+ GET /preseed\.cfg 200 10 bytes \d+ ms$", _log[0].ToString());
        Assert.Equal(["/inside", "/preseed.cfg", "/sub/a b%.txt"], server.RequestedPaths);
    }

    [Fact]
    public async Task Get_Content_GoesBeforeTheFolder()
    {
        await using var server = Start(content: [new("preseed.cfg", "given"), new("/x/y", "deep ☃")]);
        Assert.Equal("given", await _client.GetStringAsync(Url(server, "/preseed.cfg"), Token));
        Assert.Equal("deep ☃", await _client.GetStringAsync(Url(server, "/x/y"), Token));
    }

    [Theory]
    [InlineData("/out")]
    [InlineData("/out-folder/secret")]
    [InlineData("/../secret")]
    [InlineData("/%2e%2e/secret")]
    [InlineData("/sub/..%2f..%2fsecret")]
    [InlineData("//etc/passwd")]
    [InlineData("/preseed.cfg%00")]
    [InlineData("/sub")]
    [InlineData("/")]
    public async Task Get_OutsideTheFolder_IsNotFound(string path)
    {
        await using var server = Start();
        // Sent as it is: the client's own library would tidy the path.
        var answer = await RawAsync(server, $"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 404 ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("secret\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_Pipe_DoesNotHang()
    {
        await PostProcessors.Commands.RunAsync("mkfifo", $"{Root}/pipe");
        await using var server = Start();
        Assert.Equal(HttpStatusCode.NotFound, (await _client.GetAsync(Url(server, "/pipe"), Token)).StatusCode);
    }

    [Fact]
    public async Task Get_Missing_HintsAtWhatExists()
    {
        await using var server = Start();
        using var response = await _client.GetAsync(Url(server, "/Preseed.cfg"), Token);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.StartsWith("404 Not Found: there is /preseed.cfg, ", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        await server.DisposeAsync();
        Assert.Contains("/preseed.cfg", Assert.Single(_log).Hint, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", _log[0].Hint, StringComparison.Ordinal);
        Assert.Empty(server.RequestedPaths);
    }

    [Theory]
    [InlineData("bytes=0-2", 206, "d-i", "bytes 0-2/10")]
    [InlineData("bytes=4-", 206, "locale", "bytes 4-9/10")]
    [InlineData("bytes=-3", 206, "ale", "bytes 7-9/10")]
    [InlineData("bytes=-99", 206, "d-i locale", "bytes 0-9/10")]
    [InlineData("bytes=8-99", 206, "le", "bytes 8-9/10")]
    [InlineData("bytes=10-", 416, "", "bytes */10")]
    [InlineData("bytes=5-2", 416, "", "bytes */10")]
    [InlineData("bytes=0-1,3-4", 200, "d-i locale", null)]
    [InlineData("lines=1-2", 200, "d-i locale", null)]
    public async Task Get_Range_GivesThatPart(string range, int status, string body, string? contentRange)
    {
        await using var server = Start();
        using var request = new HttpRequestMessage(HttpMethod.Get, Url(server, "/preseed.cfg"));
        request.Headers.TryAddWithoutValidation("Range", range);
        using var response = await _client.SendAsync(request, Token);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(body, await response.Content.ReadAsStringAsync(Token));
        Assert.Equal(contentRange, response.Content.Headers.ContentRange?.ToString());
    }

    [Fact]
    public async Task Head_GivesLengthWithoutBody()
    {
        await using var server = Start();
        var answer = await RawAsync(server, "HEAD /preseed.cfg HTTP/1.0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("Content-Length: 10\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\n\r\n", 405)]
    [InlineData("nonsense\r\n\r\n", 400)]
    [InlineData("GET relative HTTP/1.1\r\n\r\n", 400)]
    [InlineData("\r\n\r\n", 400)]
    public async Task Request_NotUnderstood_IsRefused(string request, int status)
    {
        await using var server = Start();
        Assert.StartsWith($"HTTP/1.1 {status} ", await RawAsync(server, request), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_EndlessHead_IsRefused()
    {
        await using var server = Start();
        var answer = await RawAsync(server, "GET / HTTP/1.1\r\n" + new string('x', 20_000));
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal), answer);
    }

    [Fact]
    public async Task Get_ManyAtOnce_AllAreServed()
    {
        await File.WriteAllBytesAsync($"{Root}/big", new byte[1_000_000], Token);
        await using var server = Start();
        var sizes = await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
            (await _client.GetByteArrayAsync(Url(server, "/big"), Token)).Length));
        Assert.All(sizes, size => Assert.Equal(1_000_000, size));
    }

    [Fact]
    public async Task Start_PortTaken_TakesAnother_AndNoneLeftSaysSo()
    {
        await using var first = Start(min: 18300, max: 18301);
        await using var second = Start(min: 18300, max: 18301);
        Assert.NotEqual(first.Port, second.Port);
        Assert.InRange(second.Port, 18300, 18301);
        var e = Assert.Throws<ProblemException>(() => Start(min: 18300, max: 18301));
        Assert.Contains("none of the ports 18300 to 18301 on 127.0.0.1 is free", e.Problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_FolderMissingOrAddressForeign_SaysSo()
    {
        var folder = Assert.Throws<ProblemException>(() => AnswerServer.Start(
            new AnswerServerOptions { Directory = "/no/such" }, SystemEntropy.Instance, TimeProvider.System, null));
        Assert.Equal(ProblemKind.NotFound, folder.Problem.Kind);
        var address = Assert.Throws<ProblemException>(() => AnswerServer.Start(
            new AnswerServerOptions { BindAddress = "192.0.2.1" }, SystemEntropy.Instance, TimeProvider.System, null));
        Assert.Contains("could not listen on 192.0.2.1", address.Problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Digest_ChangesWithContentAndNames_NotWithTime()
    {
        await using var server = Start();
        var before = await server.ContentDigestAsync(Token);
        File.SetLastWriteTimeUtc($"{Root}/preseed.cfg", DateTime.UnixEpoch);
        Assert.Equal(before, await server.ContentDigestAsync(Token));
        await File.WriteAllTextAsync($"{Root}/preseed.cfg", "d-i other!", Token);
        var changed = await server.ContentDigestAsync(Token);
        Assert.NotEqual(before, changed);
        File.Move($"{Root}/preseed.cfg", $"{Root}/preseed2.cfg");
        Assert.NotEqual(changed, await server.ContentDigestAsync(Token));
    }

    private AnswerServer Start(ValueList<KeyValuePair<string, string>>? content = null, int min = 18100, int max = 18200) =>
        AnswerServer.Start(
            new AnswerServerOptions { Directory = Root, Content = content ?? [], PortMin = min, PortMax = max },
            SystemEntropy.Instance, TimeProvider.System, Log);

    private static string Url(AnswerServer server, string path) => $"http://127.0.0.1:{server.Port}{path}";

    private static async Task<string> RawAsync(AnswerServer server, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port, Token);
        await using var stream = client.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request), Token);
            using var reader = new StreamReader(stream);
            return await reader.ReadToEndAsync(Token);
        }
        catch (IOException)
        {
            // The server closed with unread input, which resets the connection.
            return "";
        }
    }
}
