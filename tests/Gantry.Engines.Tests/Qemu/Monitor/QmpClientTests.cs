using System.Text.Json.Nodes;
using Gantry.Engines.Qemu.Monitor;

namespace Gantry.Engines.Tests.Qemu.Monitor;

public sealed class QmpClientTests : IDisposable
{
    private readonly FakeQmpServer _server = new();

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task Connect_SocketAppearsLate_Greets()
    {
        var connecting = QmpClient.ConnectAsync(_server.Path);
        Assert.False(connecting.IsCompleted);
        _server.Listen();
        await _server.GreetAsync();
        await using var client = await connecting;
        Assert.Equal("7.2.22", client.Version.ToString());
        Assert.Equal("Debian", client.Version.Package);
    }

    [Fact]
    public async Task Connect_NoSocket_SaysThatItDoesNotExist()
    {
        var e = await Assert.ThrowsAsync<QmpConnectionException>(() => QmpClient.ConnectAsync(
            _server.Path, new QmpOptions { ConnectTimeout = TimeSpan.FromMilliseconds(50) }));
        Assert.Contains("does not exist", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_NotGreeted_SaysThatAnotherClientMayBeServed()
    {
        _server.Listen();
        var e = await Assert.ThrowsAsync<QmpConnectionException>(() => QmpClient.ConnectAsync(
            _server.Path, new QmpOptions { ConnectTimeout = TimeSpan.FromMilliseconds(50) }));
        Assert.Contains("another client", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_PathTooLong_NamesTheLimit()
    {
        var e = await Assert.ThrowsAsync<QmpConnectionException>(
            () => QmpClient.ConnectAsync("/tmp/" + new string('x', 110)));
        Assert.Contains("at most 107 bytes, this one has 115", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2")]
    [InlineData("{\"hello\": 1}")]
    [InlineData("[1]")]
    public async Task Connect_OtherProtocol_ShowsWhatWasFound(string line)
    {
        _server.Listen();
        var connecting = QmpClient.ConnectAsync(_server.Path);
        await _server.AcceptAsync();
        await _server.SendAsync(line);
        var e = await Assert.ThrowsAsync<QmpConnectionException>(() => connecting);
        Assert.Contains(line, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_Cancelled_Stops()
    {
        using var source = new CancellationTokenSource();
        var connecting = QmpClient.ConnectAsync(_server.Path, null, source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
    }

    [Fact]
    public async Task Execute_AnsweredOutOfOrder_MatchesById()
    {
        await using var client = await ConnectAsync();
        var first = client.ExecuteAsync("a", new JsonObject { ["x"] = 1 });
        var second = client.ExecuteAsync("b");
        var (a, idA, message) = await _server.NextAsync();
        var (b, idB, bare) = await _server.NextAsync();
        Assert.Equal(("a", "b"), (a, b));
        Assert.Equal(1, message.GetProperty("arguments").GetProperty("x").GetInt32());
        Assert.False(bare.TryGetProperty("arguments", out _));
        await _server.SendAsync($$"""{"return": "second", "id": {{idB}}}""");
        await _server.SendAsync($$"""{"return": "first", "id": {{idA}}}""");
        Assert.Equal("first", (await first).GetString());
        Assert.Equal("second", (await second).GetString());
    }

    [Fact]
    public async Task Execute_Refused_GivesClassDescriptionAndCommand()
    {
        await using var client = await ConnectAsync();
        var call = client.ExecuteAsync("device_del");
        var (_, id, _) = await _server.NextAsync();
        await _server.SendAsync(
            $$$"""{"id": {{{id}}}, "error": {"class": "DeviceNotFound", "desc": "Device 'x' not found"}}""");
        var e = await Assert.ThrowsAsync<QmpException>(() => call);
        Assert.Equal(("device_del", "DeviceNotFound", "Device 'x' not found"), (e.Command, e.ErrorClass, e.Description));
    }

    [Fact]
    public async Task Execute_NoAnswer_TimesOutAndIgnoresALateAnswer()
    {
        var clock = new ManualClock();
        await using var client = await ConnectAsync(new QmpOptions { Clock = clock });
        var call = client.ExecuteAsync("slow");
        var (_, id, _) = await _server.NextAsync();
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(call.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        var e = await Assert.ThrowsAsync<TimeoutException>(() => call);
        Assert.Contains("'slow'", e.Message, StringComparison.Ordinal);
        await _server.SendAsync($$"""{"return": {}, "id": {{id}}}""");
        var next = client.ExecuteAsync("next");
        var (_, nextId, _) = await _server.NextAsync();
        await _server.SendAsync($$"""{"return": 7, "id": {{nextId}}}""");
        Assert.Equal(7, (await next).GetInt32());
    }

    [Fact]
    public async Task Execute_ConnectionLost_FailsEveryWaitingCallAndLaterOnes()
    {
        await using var client = await ConnectAsync();
        using var events = client.Subscribe();
        var calls = Enumerable.Range(0, 20).Select(i => client.ExecuteAsync($"c{i}")).ToArray();
        for (var i = 0; i < calls.Length; i++)
            await _server.NextAsync();
        _server.HangUp();
        foreach (var call in calls)
        {
            var e = await Assert.ThrowsAsync<QmpConnectionException>(() => call);
            Assert.Contains("ended or was killed", e.Message, StringComparison.Ordinal);
        }
        await Assert.ThrowsAsync<QmpConnectionException>(() => client.ExecuteAsync("later"));
        await Assert.ThrowsAsync<QmpConnectionException>(() => events.NextAsync(CancellationToken.None));
        Assert.Contains("ended or was killed", (await client.Closed).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_GarbageFromQemu_EndsTheConnectionWithTheLine()
    {
        await using var client = await ConnectAsync();
        var call = client.ExecuteAsync("x");
        await _server.NextAsync();
        await _server.SendAsync("qemu: could not");
        var e = await Assert.ThrowsAsync<QmpConnectionException>(() => call);
        Assert.Contains("qemu: could not", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_AnswerLongerThanTheLimit_EndsTheConnection()
    {
        await using var client = await ConnectAsync(new QmpOptions { MaxMessageBytes = 64 * 1024 });
        var call = client.ExecuteAsync("x");
        var (_, id, _) = await _server.NextAsync();
        await _server.SendAsync($$"""{"return": "{{new string('a', 70000)}}", "id": {{id}}}""");
        var e = await Assert.ThrowsAsync<QmpConnectionException>(() => call);
        Assert.Contains("65536 bytes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_LongAnswerInPieces_IsPutTogether()
    {
        await using var client = await ConnectAsync();
        var call = client.ExecuteAsync("x");
        var (_, id, _) = await _server.NextAsync();
        var text = new string('a', 300000);
        await _server.SendAsync($$"""{"return": "{{text}}", "id": {{id}}}""");
        Assert.Equal(text, (await call).GetString());
    }

    [Fact]
    public async Task Execute_FromManyThreads_AllAreAnswered()
    {
        await using var client = await ConnectAsync();
        var serving = Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                var (name, id, _) = await _server.NextAsync();
                await _server.SendAsync($$"""{"return": "{{name}}", "id": {{id}}}""");
            }
        });
        await Parallel.ForAsync(0, 500, async (i, token) =>
            Assert.Equal($"n{i}", (await client.ExecuteAsync($"n{i}", null, token)).GetString()));
        await serving;
    }

    [Fact]
    public async Task HumanMonitor_Line_GivesText()
    {
        await using var client = await ConnectAsync();
        var call = client.HumanMonitorAsync("info status");
        var (name, id, message) = await _server.NextAsync();
        Assert.Equal("human-monitor-command", name);
        Assert.Equal("info status", message.GetProperty("arguments").GetProperty("command-line").GetString());
        await _server.SendAsync($$"""{"return": "VM status: running\r\n", "id": {{id}}}""");
        Assert.Equal("VM status: running\r\n", await call);
    }

    [Fact]
    public async Task Subscribe_WithNames_GivesTheseOnlyInOrder()
    {
        await using var client = await ConnectAsync();
        using var events = client.Subscribe("STOP", "RESUME");
        await _server.SendAsync("""{"timestamp": {"seconds": 1700000000, "microseconds": 250000}, "event": "STOP"}""");
        await _server.SendAsync("""{"timestamp": {"seconds": -1, "microseconds": -1}, "event": "NIC_RX_FILTER_CHANGED"}""");
        await _server.SendAsync(
            """{"timestamp": {"seconds": -1, "microseconds": -1}, "event": "RESUME", "data": {"a": 1}}""");
        var stop = await events.NextAsync(CancellationToken.None);
        var resume = await events.NextAsync(CancellationToken.None);
        Assert.Equal("STOP", stop.Name);
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1700000000250), stop.At);
        Assert.Equal("RESUME", resume.Name);
        Assert.Null(resume.At);
        Assert.Equal(1, resume.Data.GetProperty("a").GetInt32());
    }

    [Fact]
    public async Task Subscribe_SlowReader_LosesTheOldestAndCountsThem()
    {
        await using var client = await ConnectAsync(new QmpOptions { EventCapacity = 4 });
        using var events = client.Subscribe();
        for (var i = 0; i < 10; i++)
            await _server.SendAsync($$"""{"timestamp": {"seconds": {{i}}, "microseconds": 0}, "event": "E{{i}}"}""");
        var call = client.ExecuteAsync("x");
        var (_, id, _) = await _server.NextAsync();
        await _server.SendAsync($$"""{"return": {}, "id": {{id}}}""");
        await call;
        Assert.Equal(6, events.Dropped);
        Assert.Equal("E6", (await events.NextAsync(CancellationToken.None)).Name);
    }

    [Fact]
    public async Task Dispose_WithWaitingCalls_FailsThem()
    {
        var client = await ConnectAsync();
        var call = client.ExecuteAsync("x");
        await client.DisposeAsync();
        var e = await Assert.ThrowsAsync<QmpConnectionException>(() => call);
        Assert.Contains("closed by this program", e.Message, StringComparison.Ordinal);
    }

    private async Task<QmpClient> ConnectAsync(QmpOptions? options = null)
    {
        _server.Listen();
        var connecting = QmpClient.ConnectAsync(_server.Path, options);
        await _server.GreetAsync();
        return await connecting;
    }
}
