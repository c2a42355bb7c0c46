using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Gantry.Engines.Tests.Qemu.Monitor;

/// <summary>The other end of a QMP socket, played by the test line by line.</summary>
internal sealed class FakeQmpServer : IDisposable
{
    public const string Greeting =
        """{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": []}}""";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("qmp-");
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private NetworkStream? _stream;
    private StreamReader? _reader;

    public string Path => System.IO.Path.Combine(_folder.FullName, "qmp");

    public void Listen()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Path));
        _listener.Listen(4);
    }

    public async Task AcceptAsync()
    {
        _stream = new NetworkStream(await _listener.AcceptAsync(), ownsSocket: true);
        _reader = new StreamReader(_stream, Encoding.UTF8);
    }

    /// <summary>Accepts, greets, and answers the capabilities negotiation.</summary>
    public async Task GreetAsync()
    {
        await AcceptAsync();
        await SendAsync(Greeting);
        var (name, id, _) = await NextAsync();
        Assert.Equal("qmp_capabilities", name);
        await SendAsync($$"""{"return": {}, "id": {{id}}}""");
    }

    public async Task SendAsync(string line) => await _stream!.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"));

    public async Task<(string Name, long Id, JsonElement Message)> NextAsync()
    {
        var message = JsonElement.Parse((await _reader!.ReadLineAsync())!);
        return (message.GetProperty("execute").GetString()!, message.GetProperty("id").GetInt64(), message);
    }

    public void HangUp() => _stream!.Dispose();

    public void Dispose()
    {
        _stream?.Dispose();
        _listener.Dispose();
        _folder.Delete(recursive: true);
    }
}
