using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Gantry.Engines.Qemu.Running;
using Gantry.Model;

namespace Gantry.Engines.Tests.Qemu.Running;

/// <summary>Against an agent of our own, which leaves old answers in the channel as a real one may.</summary>
public sealed class GuestAgentTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-engines-");
    private readonly List<string> _heard = [];

    private string SocketPath => Path.Combine(_folder.FullName, "agent");

    [Fact]
    public async Task Command_AfterOldAnswers_GetsItsOwn()
    {
        var agent = ServeAsync(command => command["execute"]!.GetValue<string>() switch
        {
            "guest-sync" => "{\"return\": 1}\nrubbish\n{\"return\": {}}\n"
                + $"{{\"return\": {command["arguments"]!["id"]}}}\n",
            _ => "{\"return\": {\"version\": \"7.2\"}}\n",
        });
        var answer = await AskAsync("guest-info", new JsonObject { ["x"] = "ü" });
        Assert.Equal("7.2", answer.GetProperty("version").GetString());
        await agent;
        Assert.Equal(2, _heard.Count);
        Assert.Equal("ü", JsonNode.Parse(_heard[1])!["arguments"]!["x"]!.GetValue<string>());
    }

    [Fact]
    public async Task Refusal_IsSaid()
    {
        var agent = ServeAsync(command => command["execute"]!.GetValue<string>() == "guest-sync"
            ? $"{{\"return\": {command["arguments"]!["id"]}}}\n"
            : "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no such command\"}}\n");
        var problem = (await Assert.ThrowsAsync<ProblemException>(() => AskAsync("guest-x"))).Problem;
        Assert.Equal(ProblemKind.Failed, problem.Kind);
        Assert.Contains("no such command", problem.Summary, StringComparison.Ordinal);
        await agent;
    }

    [Fact]
    public async Task Channel_ThatCloses_IsUnavailable()
    {
        using var listener = Listen();
        var asked = AskAsync("guest-ping");
        (await listener.AcceptAsync()).Dispose();
        Assert.Equal(ProblemKind.Unavailable, (await Assert.ThrowsAsync<ProblemException>(() => asked)).Problem.Kind);
    }

    private Task<System.Text.Json.JsonElement> AskAsync(string command, JsonObject? arguments = null) => GuestAgent.RunAsync(
        SocketPath, command, arguments, TimeSpan.FromSeconds(20), TimeProvider.System,
        TestContext.Current.CancellationToken);

    private Socket Listen()
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        listener.Listen(1);
        return listener;
    }

    private Task ServeAsync(Func<JsonNode, string> answer)
    {
        var listener = Listen();
        return Task.Run(async () =>
        {
            using (listener)
            using (var socket = await listener.AcceptAsync())
            using (var reader = new StreamReader(new NetworkStream(socket), Encoding.Latin1))
            {
                Assert.Equal(0xff, reader.Read());
                while (await reader.ReadLineAsync() is { } line)
                {
                    _heard.Add(line);
                    await socket.SendAsync(Encoding.UTF8.GetBytes(answer(JsonNode.Parse(line)!)));
                }
            }
        });
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
