using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Gantry.EndToEnd.Builds;
using Gantry.EndToEnd.Machines;

namespace Gantry.EndToEnd.Serving;

/// <summary>The node's process beside real machines: it may die at any moment, and they never run twice.</summary>
[Collection(nameof(BuildCollection))]
public sealed class NodeTests(BuildNode builds) : IAsyncDisposable
{
    private const string Machine = "kept";

    private readonly GantryProgram _gantry = new(builds.Folders.Home);
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(
                new UnixDomainSocketEndPoint(Path.Combine(builds.Folders.Run, "api.sock")), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _gantry.RunAsync("delete", "--force", Machine);
        _http.Dispose();
    }

    [Fact]
    public async Task Node_KilledAtAnyTime_FindsItsMachineAgainAndDoesNotStartItTwice()
    {
        await _gantry.OkAsync("launch", "first", "--name", Machine);
        var pid = await PidAsync();
        await KillNodeAsync();
        Assert.True(IsAlive(pid));
        Assert.Contains("running", await _gantry.OkAsync("list"), StringComparison.Ordinal);

        // Asked again, the new node finds what it wants done already.
        await _gantry.OkAsync("start", Machine);
        Assert.Equal(pid, await PidAsync());
        await KillNodeAsync();
        await _gantry.OkAsync("stop", Machine);
        Assert.False(IsAlive(pid));
    }

    [Fact]
    public async Task Machine_ThatIsKilled_IsRestartedByItsPolicy_AndNotWhenItWasStopped()
    {
        await _gantry.OkAsync("launch", "first", "--name", Machine);
        await _gantry.OkAsync("set", Machine, "--restart", "on-failure");
        var pid = await PidAsync();
        var killed = Stopwatch.StartNew();
        Process.GetProcessById(pid).Kill();
        var status = await StatusAsync(one => one.GetProperty("restarts").GetInt32() == 1 && Phase(one) == "running");
        Assert.False(status.GetProperty("lastExit").GetProperty("orderly").GetBoolean());
        Assert.NotEqual(pid, await PidAsync());
        Assert.True(killed.Elapsed < TimeSpan.FromSeconds(60), $"it took {killed.Elapsed}");

        await _gantry.OkAsync("stop", Machine);
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, Token);
        Assert.Equal("stopped", Phase(await StatusAsync(_ => true)));
    }

    [Fact]
    public async Task Start_ThatCannotBe_SaysWhyAndLeavesNothingRunning()
    {
        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        await _gantry.OkAsync("create", "first", "--name", Machine, "--publish", $"{port}:80");
        var (code, _, error) = await _gantry.RunAsync("start", Machine);
        Assert.NotEqual(0, code);
        Assert.Contains(port.ToString(System.Globalization.CultureInfo.InvariantCulture), error, StringComparison.Ordinal);
        Assert.Equal("stopped", Phase(await StatusAsync(_ => true)));
    }

    [Fact]
    public async Task PrivateNode_ThatNothingNeeds_Ends_AndTwoCommandsStartOnlyOne()
    {
        var home = Directory.CreateTempSubdirectory("gantry-e2e-node-");
        try
        {
            var gantry = new GantryProgram(home.FullName);
            var answers = await Task.WhenAll(gantry.RunAsync("start", "nobody"), gantry.RunAsync("stop", "nobody"));
            Assert.All(answers, answer => Assert.Equal(3, answer.Code));
            var log = Path.Combine(home.FullName, "node.log");
            for (var look = 0; look < 600 && !(await ReadAsync(log)).Contains("has ended", StringComparison.Ordinal); look++)
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Token);
            Assert.Single((await ReadAsync(log)).Split('\n'), line => line.Contains(" serves on ", StringComparison.Ordinal));
            Assert.Single((await ReadAsync(log)).Split('\n'), line => line.Contains(" has ended", StringComparison.Ordinal));
        }
        finally
        {
            home.Delete(recursive: true);
        }

        static async Task<string> ReadAsync(string path) => File.Exists(path) ? await File.ReadAllTextAsync(path, Token) : "";
    }

    [Fact]
    public async Task Serve_TakesOverFromAPrivateNode_AndStartsWhatStartsWithTheHost()
    {
        await _gantry.OkAsync("create", "first", "--name", Machine);
        await _gantry.OkAsync("set", Machine, "--autostart", "true", "--start-order", "1");
        // A private node serves, and is no reason to start it.
        await _gantry.RunAsync("stop", Machine);
        Assert.Equal("stopped", Phase(await StatusAsync(_ => true)));
        using var serve = _gantry.Start("serve");
        try
        {
            while (await serve.StandardError.ReadLineAsync(Token) is { } line && !line.Contains(" serves on ", StringComparison.Ordinal))
                ;
            await StatusAsync(status => Phase(status) == "running");
            Assert.False((await ApiAsync("node")).GetProperty("private").GetBoolean());
            var text = await _gantry.OkAsync("shutdown", "--all", "--timeout", "20");
            Assert.Matches($"{Machine} (is shut down|did not shut down in time)", text);
            Assert.Equal("stopped", Phase(await StatusAsync(_ => true)));
        }
        finally
        {
            serve.Kill();
            await serve.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Pause_ByACommandBesideTheNode_IsSeen_AndHowTheGuestEndedToo()
    {
        await _gantry.OkAsync("launch", "first", "--name", Machine);
        await _gantry.OkAsync("pause", Machine);
        var started = (await StatusAsync(status => Phase(status) == "paused")).GetProperty("started").GetDateTimeOffset();
        await _gantry.OkAsync("resume", Machine);
        var status = await StatusAsync(status => Phase(status) == "running");
        Assert.Equal(started, status.GetProperty("started").GetDateTimeOffset());
        // The guest is gone before the command is.
        await _gantry.RunAsync("exec", Machine, "--", "poweroff", "-f");
        status = await StatusAsync(status => Phase(status) == "stopped");
        Assert.Equal("guest-shutdown", status.GetProperty("lastExit").GetProperty("reason").GetString());
        Assert.True(status.GetProperty("lastExit").GetProperty("orderly").GetBoolean());
    }

    [Fact]
    public async Task Tasks_OverTheApi_SnapshotCloneRollBackAndDelete()
    {
        await _gantry.OkAsync("launch", "first", "--name", Machine);
        var snapshot = await TaskAsync(HttpMethod.Post, $"machines/{Machine}/snapshots", """{"name":"before","memory":true}""");
        Assert.Equal("done", Phase(snapshot));
        var clone = await TaskAsync(HttpMethod.Post, $"machines/{Machine}/clone", """{"name":"kept-copy"}""");
        Assert.Equal("done", Phase(clone));
        Assert.Equal(
            "kept-copy",
            (await ApiAsync($"machines/{clone.GetProperty("result").GetProperty("machine").GetInt32()}")).GetProperty("name").GetString());
        var back = await TaskAsync(HttpMethod.Post, $"machines/{Machine}/snapshots/before/rollback", """{"unrenewed":true}""");
        Assert.Equal("done", Phase(back));
        Assert.Equal("running", Phase(await StatusAsync(status => Phase(status) == "running")));
        Assert.Equal("done", Phase(await TaskAsync(HttpMethod.Delete, "machines/kept-copy", body: null)));
        var list = await _gantry.OkAsync("task", "list", "--machine", Machine);
        Assert.Contains($"roll {Machine} back to before", list, StringComparison.Ordinal);
        Assert.Contains(
            "Cloning", await _gantry.OkAsync("task", "log", clone.GetProperty("id").GetString()!), StringComparison.Ordinal);
        Assert.Equal(3, (await _gantry.RunAsync("task", "show", "none")).Code);
    }

    [Fact]
    public async Task Build_IsATask_ThatMakesATemplate_OrSaysWhyNot()
    {
        await _gantry.RunAsync("task", "list");
        var path = builds.Write("by-task", BuildNode.Shell("echo task > /root/last"));
        var task = await TaskAsync(HttpMethod.Post, "builds", $$"""{"path":"{{path}}","force":true}""");
        Assert.True(Phase(task) == "done", task.GetRawText());
        Assert.Equal("by-task", task.GetProperty("result").GetProperty("templates")[0].GetString());
        Assert.Contains(
            "Built qemu.mini", await _gantry.OkAsync("task", "log", task.GetProperty("id").GetString()!), StringComparison.Ordinal);
        await _gantry.OkAsync("template", "delete", "by-task");

        var wrong = await TaskAsync(HttpMethod.Post, "builds", $$"""{"path":"{{builds.Folders.Home}}/none.pkr.hcl"}""");
        Assert.Equal("failed", Phase(wrong));
        Assert.Contains("none.pkr.hcl", wrong.GetProperty("problem").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Build_WhoseNodeIsKilled_OrThatIsCancelled_LeavesNothingRunning()
    {
        await _gantry.RunAsync("task", "list");
        var path = builds.Write("never", BuildNode.Shell("sleep 600"));
        var body = $$"""{"path":"{{path}}"}""";
        var id = await AskAsync(HttpMethod.Post, "builds", body);
        await ProvisioningAsync(id);
        Assert.Contains("is cancelled", await _gantry.OkAsync("task", "cancel", id), StringComparison.Ordinal);
        Assert.Empty(builds.Emulators());

        id = await AskAsync(HttpMethod.Post, "builds", body);
        await ProvisioningAsync(id);
        await KillNodeAsync();
        for (var look = 0; look < 600 && builds.Emulators().Any(); look++)
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Token);
        Assert.Empty(builds.Emulators());
        Assert.Contains("failed", await _gantry.OkAsync("task", "show", id), StringComparison.Ordinal);
    }

    /// <summary>Waits until a build's guest runs its last provisioner.</summary>
    private async Task ProvisioningAsync(string id)
    {
        for (var look = 0; look < 600; look++)
        {
            if ((await _http.GetStringAsync($"http://node/api/v1/tasks/{id}/log", Token)).Contains("Provisioning", StringComparison.OrdinalIgnoreCase))
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Token);
        }

        throw new TimeoutException(await _http.GetStringAsync($"http://node/api/v1/tasks/{id}/log", Token));
    }

    /// <summary>Asks for a task and waits for its end.</summary>
    private async Task<JsonElement> TaskAsync(HttpMethod method, string path, string? body) =>
        await ApiAsync($"tasks/{await AskAsync(method, path, body)}?wait=120");

    /// <summary>The id of the task that a request has become.</summary>
    private async Task<string> AskAsync(HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, "http://node/api/v1/" + path);
        if (body is not null)
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request, Token);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.StatusCode == System.Net.HttpStatusCode.Accepted, text);
        return JsonElement.Parse(text).GetProperty("id").GetString()!;
    }

    private static string? Phase(JsonElement status) => status.GetProperty("phase").GetString();

    /// <summary>One that has ended may stay a zombie: the node that started it is dead, and somebody else reaps it.</summary>
    private static bool IsAlive(int pid) =>
        File.Exists($"/proc/{pid}/stat")
        && !File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].StartsWith(" Z", StringComparison.Ordinal);

    private async Task<JsonElement> ApiAsync(string path) =>
        JsonElement.Parse(await _http.GetByteArrayAsync("http://node/api/v1/" + path, Token));

    private async Task KillNodeAsync()
    {
        var pid = (await ApiAsync("node")).GetProperty("pid").GetInt32();
        using var node = Process.GetProcessById(pid);
        node.Kill();
        for (var look = 0; look < 100 && IsAlive(pid); look++)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
    }

    private async Task<int> PidAsync()
    {
        var shown = JsonElement.Parse(await _gantry.OkAsync("show", Machine, "-o", "json"));
        return shown.GetProperty("pid").GetInt32();
    }

    /// <summary>The first status from now on that is as it should be.</summary>
    private async Task<JsonElement> StatusAsync(Func<JsonElement, bool> until)
    {
        for (var look = 0; look < 600; look++)
        {
            var status = (await ApiAsync("machines/" + Machine)).GetProperty("status");
            if (until(status))
                return status;
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Token);
        }

        throw new TimeoutException((await ApiAsync("machines/" + Machine)).GetRawText());
    }
}
