using System.Buffers.Binary;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Gantry.Control.Consoles;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Nodes;

namespace Gantry.Control.Tests.Consoles;

public sealed class ConsoleEndpointsTests
{
    private static readonly MachineRecord Web = ControlWorld.Machine(100, "web");
    private static readonly MachineRecord Mail = ControlWorld.Machine(101, "mail");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Serial_GoesBothWays_AsTextOrBytes()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        using var socket = await OpenAsync(world, """{"kind":"serial","scrollBack":10,"readOnly":true}""");
        var (machine, request) = Assert.Single(world.ConsoleNode.Opened);
        Assert.Equal(MachineKey.Of(Web), machine);
        Assert.Equal(new ConsoleRequest.Serial { ScrollBack = 10, ReadOnly = true }, request);

        world.ConsoleNode.Channel.Say("login: ");
        var (type, message) = await ReceiveAsync(socket);
        Assert.Equal((WebSocketMessageType.Binary, "login: "), (type, Encoding.UTF8.GetString(message)));
        await socket.SendAsync("ro"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: false, Token);
        await socket.SendAsync("ot"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Token);
        await socket.SendAsync("\r"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, Token);
        Assert.Equal("root\r", await world.ConsoleNode.Channel.TypedAsync("\r", Token));

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", Token);
        await world.ConsoleNode.Channel.HungUp;
    }

    [Fact]
    public async Task Vnc_TakesNoVncsSubProtocol_AndNoText()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        using (var socket = await OpenAsync(world, """{"kind":"vnc"}""", "binary"))
        {
            Assert.Equal("binary", socket.SubProtocol);
            world.ConsoleNode.Channel.Say("RFB 003.008\n");
            Assert.Equal("RFB 003.008\n", Encoding.UTF8.GetString((await ReceiveAsync(socket)).Message));
            await socket.SendAsync("RFB 003.008\n"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Token);
            Assert.Equal(1003, await ClosedAsync(socket));
        }

        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => OpenAsync(world, """{"kind":"vnc"}""", "base64"));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task Exec_FramesInputOutputsSizesAndTheExitCode()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        using var socket = await OpenAsync(world, """{"kind":"exec","command":"cat"}""", ExecWire.Name);
        Assert.Equal(new ConsoleRequest.Exec { Command = "cat" }, Assert.Single(world.ConsoleNode.Opened).Request);
        var channel = world.ConsoleNode.Channel;
        await SendAsync(socket, [0, .. "hello"u8]);
        await SendAsync(socket, [4, 0, 80, 0, 25]);
        await SendAsync(socket, [3]);
        Assert.Equal("hello", await channel.TypedAsync("hello", Token));
        Assert.Equal(new ConsoleFrame.Resize(80, 25), await channel.ToMachine.Reader.ReadAsync(Token));
        Assert.IsType<ConsoleFrame.EndOfInput>(await channel.ToMachine.Reader.ReadAsync(Token));

        channel.Say("hello");
        channel.FromMachine.Writer.TryWrite(new ConsoleFrame.ErrorData("oh"u8.ToArray()));
        channel.End(new ConsoleEnd.Finished(137));
        Assert.Equal("\u0001hello", Encoding.UTF8.GetString((await ReceiveAsync(socket)).Message));
        Assert.Equal("\u0002oh", Encoding.UTF8.GetString((await ReceiveAsync(socket)).Message));
        var exit = (await ReceiveAsync(socket)).Message;
        Assert.Equal((5, 137), (exit[0], BinaryPrimitives.ReadInt32BigEndian(exit.AsSpan(1))));
        Assert.Equal(1000, await ClosedAsync(socket));
        await channel.HungUp;
    }

    [Theory]
    [InlineData("09")]
    [InlineData("")]
    [InlineData("0301")]
    [InlineData("04000000")]
    [InlineData("0400000000")]
    [InlineData("04FFFFFFFF")]
    public async Task Exec_OfWhatMakesNoSense_IsClosedSo(string message)
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        using var socket = await OpenAsync(world, """{"kind":"exec","command":"cat"}""");
        await SendAsync(socket, Convert.FromHexString(message));
        Assert.Equal(1007, await ClosedAsync(socket));
        await world.ConsoleNode.Channel.HungUp;
    }

    [Fact]
    public async Task Messages_ThatAreTooLong_AreClosedSo_AndWhatCameBeforeIsNotHeld()
    {
        await using var world = await ControlWorld.MakeAsync(new ConsoleLimits { LongestMessage = 100_000 }, Web);
        using var exec = await OpenAsync(world, """{"kind":"exec","command":"cat"}""");
        await SendAsync(exec, new byte[1 + ConsoleFrame.MostBytes]);
        Assert.Equal(ConsoleFrame.MostBytes, Assert.IsType<ConsoleFrame.Data>(
            await world.ConsoleNode.Channel.ToMachine.Reader.ReadAsync(Token)).Bytes.Length);
        await SendAsync(exec, new byte[2 + ConsoleFrame.MostBytes]);
        Assert.Equal(1009, await ClosedAsync(exec));

        using var serial = await OpenAsync(world, """{"kind":"serial"}""");
        for (var i = 0; i < 3; i++)
            await serial.SendAsync(new byte[40_000], WebSocketMessageType.Binary, endOfMessage: false, Token);
        Assert.Equal(1009, await ClosedAsync(serial));
    }

    [Fact]
    public async Task Ticket_IsGoodOnce_AndForItsMachineOnly()
    {
        await using var world = await ControlWorld.MakeAsync(Web, Mail);
        var path = await PathAsync(world, """{"kind":"serial"}""");
        using (await world.OpenAsync(path))
            await AssertRefusedAsync(world, path);
        path = await PathAsync(world, """{"kind":"serial"}""");
        await AssertRefusedAsync(world, path.Replace("/100/", "/101/", StringComparison.Ordinal));
        await AssertRefusedAsync(world, path);
        await AssertRefusedAsync(world, "/api/v1/machines/web/console/ws?ticket=");
        await AssertRefusedAsync(world, "/api/v1/machines/web/console/ws");
        await AssertRefusedAsync(world, "/api/v1/machines/web/console/ws?ticket=" + new string('a', 4000));
    }

    [Fact]
    public async Task Ticket_ThatIsOld_IsRefused()
    {
        await using var world = await ControlWorld.MakeAsync(new ConsoleLimits { TicketLife = TimeSpan.FromMilliseconds(1) }, Web);
        var path = await PathAsync(world, """{"kind":"serial"}""");
        await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
        await AssertRefusedAsync(world, path);
    }

    [Fact]
    public async Task Tickets_AreBoundedInNumber()
    {
        await using var world = await ControlWorld.MakeAsync(new ConsoleLimits { MostTickets = 2 }, Web);
        var first = await PathAsync(world, """{"kind":"serial"}""");
        await PathAsync(world, """{"kind":"vnc"}""");
        Assert.Equal(503, (await world.PostAsync("machines/web/console", """{"kind":"serial"}""")).Status);
        (await world.OpenAsync(first)).Dispose();
        await PathAsync(world, """{"kind":"serial"}""");
    }

    [Fact]
    public async Task Consoles_AreBoundedInNumber()
    {
        await using var world = await ControlWorld.MakeAsync(new ConsoleLimits { MostOpen = 1 }, Web);
        using var open = await OpenAsync(world, """{"kind":"serial"}""");
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => OpenAsync(world, """{"kind":"serial"}"""));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        await open.CloseAsync(WebSocketCloseStatus.NormalClosure, "", Token);
        await world.ConsoleNode.Channel.HungUp;
        for (var look = 0; look < 100; look++)
        {
            try
            {
                (await OpenAsync(world, """{"kind":"serial"}""")).Dispose();
                return;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
            }
        }

        Assert.Fail("the place of a closed console stays taken");
    }

    [Theory]
    [InlineData("stopped", 4000)]
    [InlineData("slow", 4001)]
    [InlineData("taken", 4004)]
    [InlineData("node", 1001)]
    [InlineData("failed", 4503)]
    public async Task Console_ThatEnds_IsClosedWithTheReason(string how, int code)
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        using var socket = await OpenAsync(world, """{"kind":"serial"}""");
        world.ConsoleNode.Channel.Say("last words");
        world.ConsoleNode.Channel.End(how switch
        {
            "stopped" => new ConsoleEnd.MachineStopped(),
            "slow" => new ConsoleEnd.TooSlow(),
            "taken" => new ConsoleEnd.TakenAway(),
            "node" => new ConsoleEnd.NodeEnds(),
            _ => new ConsoleEnd.Failed(new Problem { Kind = ProblemKind.Unavailable, Summary = new string('ü', 100) }),
        });
        Assert.Equal("last words", Encoding.UTF8.GetString((await ReceiveAsync(socket)).Message));
        Assert.Equal(code, await ClosedAsync(socket));
        Assert.InRange(Encoding.UTF8.GetByteCount(socket.CloseStatusDescription!), 1, 123);
    }

    [Fact]
    public async Task Console_ThatCantBeOpened_IsClosedWithTheReason()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        world.ConsoleNode.OpenFails = new ProblemException(ProblemKind.Conflict, "somebody else is at the console of web");
        using var socket = await OpenAsync(world, """{"kind":"serial"}""");
        Assert.Equal(4409, await ClosedAsync(socket));
        Assert.Equal("somebody else is at the console of web", socket.CloseStatusDescription);
        world.ConsoleNode.OpenFails = new InvalidOperationException("a bug");
        using var other = await OpenAsync(world, """{"kind":"serial"}""");
        Assert.Equal(1011, await ClosedAsync(other));
    }

    [Fact]
    public async Task Console_ThatIsIdleOrOpenForTooLong_IsClosed()
    {
        await using var world = await ControlWorld.MakeAsync(
            new ConsoleLimits { Idle = TimeSpan.FromMilliseconds(300), Total = TimeSpan.FromSeconds(2) }, Web);
        using (var idle = await OpenAsync(world, """{"kind":"serial"}"""))
            Assert.Equal(4002, await ClosedAsync(idle));
        using var busy = await OpenAsync(world, """{"kind":"serial"}""");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var saying = SayOnAsync(world.ConsoleNode.Channel, stop.Token);
        Assert.Equal(4003, await ClosedAsync(busy));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => saying);

        static async Task SayOnAsync(FakeChannel channel, CancellationToken cancellationToken)
        {
            while (true)
            {
                channel.Say(".");
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
            }
        }
    }

    [Fact]
    public async Task Client_ThatClosesItsHalf_StillGetsTheGoodBye_AndOneThatIsGoneHangsUp()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        using var half = await OpenAsync(world, """{"kind":"serial"}""");
        await half.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", Token);
        Assert.Equal(1000, await ClosedAsync(half));
        await world.ConsoleNode.Channel.HungUp;

        var gone = await OpenAsync(world, """{"kind":"serial"}""");
        gone.Abort();
        gone.Dispose();
        await world.ConsoleNode.Channel.HungUp;
    }

    [Fact]
    public async Task Client_ThatReceivesNothing_IsLetGo()
    {
        await using var world = await ControlWorld.MakeAsync(new ConsoleLimits { Send = TimeSpan.FromMilliseconds(500) }, Web);
        using var socket = await OpenAsync(world, """{"kind":"vnc"}""");
        for (var i = 0; i < 500; i++)
            world.ConsoleNode.Channel.FromMachine.Writer.TryWrite(new ConsoleFrame.Data(new byte[ConsoleFrame.MostBytes]));
        await world.ConsoleNode.Channel.HungUp;
    }

    [Fact]
    public async Task Node_ThatEnds_ClosesItsConsolesInOrder()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        using var socket = await OpenAsync(world, """{"kind":"serial"}""");
        var ending = world.EndAsync();
        Assert.Equal(1001, await ClosedAsync(socket));
        await ending.WaitAsync(TimeSpan.FromSeconds(4), TimeProvider.System, Token);
    }

    [Theory]
    [InlineData("""{"kind":"telnet"}""", "kind")]
    [InlineData("""{}""", "kind")]
    [InlineData("""{"kind":"serial","scrollBack":-1}""", "scrollBack")]
    [InlineData("""{"kind":"serial","scrollBack":300000}""", "scrollBack")]
    [InlineData("""{"kind":"serial","command":"ls"}""", "command")]
    [InlineData("""{"kind":"vnc","readOnly":true}""", "readOnly")]
    [InlineData("""{"kind":"exec"}""", "command, terminal")]
    [InlineData("""{"kind":"exec","command":""}""", "command")]
    [InlineData("""{"kind":"exec","command":"a\u0000b"}""", "command")]
    [InlineData("""{"kind":"exec","command":"ls","user":"a b"}""", "user")]
    [InlineData("""{"kind":"exec","command":"ls","terminal":{"columns":80,"rows":25}}""", "command, terminal")]
    [InlineData("""{"kind":"exec","terminal":{"columns":0,"rows":25}}""", "terminal.columns")]
    [InlineData("""{"kind":"exec","terminal":{"columns":80,"rows":25,"type":"a;b"}}""", "terminal.type")]
    [InlineData("""{"kind":"serial","more":1}""", "more")]
    [InlineData("""{"kind":""", "kind")]
    public async Task Request_ThatMakesNoSense_IsRefusedWithItsField(string body, string field)
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var (status, problem) = await world.PostAsync("machines/web/console", body);
        Assert.Equal(400, status);
        Assert.Contains(field, problem.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_ThatCantBe_IsAProblem()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        Assert.Equal(404, (await world.PostAsync("machines/wep/console", """{"kind":"serial"}""")).Status);
        world.ConsoleNode.Problem = new Problem
        {
            Kind = ProblemKind.Conflict,
            Summary = "web is not running",
            Remedy = "start it",
        };
        var (status, problem) = await world.PostAsync("machines/web/console", """{"kind":"serial"}""");
        Assert.Equal((409, "start it"), (status, problem.GetProperty("remedy").GetString()));
        Assert.Equal(409, (await world.GetAsync("machines/web/screenshot")).Status);
        Assert.Equal(409, (await world.GetAsync("machines/web/logs")).Status);
        Assert.Equal(409, (await world.PostAsync("machines/web/keys", """{"keys":["a"]}""")).Status);
        Assert.Equal(426, (await world.GetAsync("machines/web/console/ws?ticket=x")).Status);
    }

    [Fact]
    public async Task Screenshot_IsAPicture_ThatNobodyKeeps()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        using var response = await world.Http.GetAsync("machines/web/screenshot", Token);
        Assert.Equal("image/png", response.Content.Headers.ContentType!.MediaType);
        Assert.True(response.Headers.CacheControl!.NoStore);
        Assert.Equal("picture", await response.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task Logs_AreText_AndFollowedPieceByPiece()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        Assert.Equal("first\n", await world.Http.GetStringAsync("machines/web/logs?lines=7&source=qemu", Token));
        Assert.Equal(new LogRequest { Lines = 7, Source = LogSource.Qemu }, world.ConsoleNode.LogRequest);

        await using var followed = await world.Http.GetStreamAsync("machines/web/logs?follow=true", Token);
        using var reader = new StreamReader(followed);
        Assert.Equal("first", await reader.ReadLineAsync(Token));
        world.ConsoleNode.More.Writer.TryWrite("second\n");
        Assert.Equal("second", await reader.ReadLineAsync(Token));
        world.ConsoleNode.More.Writer.Complete();
        Assert.Null(await reader.ReadLineAsync(Token));
    }

    [Theory]
    [InlineData("lines=-1", "lines")]
    [InlineData("lines=many", "lines")]
    [InlineData("source=guest", "source")]
    [InlineData("follow=maybe", "follow")]
    public async Task Logs_OfWhatMakesNoSense_AreRefusedWithTheParameter(string query, string parameter)
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var (status, problem) = await world.GetAsync("machines/web/logs?" + query);
        Assert.Equal(400, status);
        Assert.Contains(parameter, problem.GetProperty("title").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_AreTyped_AndRefusedWhereThereAreNoneOrTooMany()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        Assert.Equal(204, (await world.PostAsync("machines/web/keys", """{"keys":["root","<enter>"]}""")).Status);
        Assert.Equal(["root", "<enter>"], world.ConsoleNode.Typed);
        Assert.Equal(400, (await world.PostAsync("machines/web/keys", """{"keys":[]}""")).Status);
        Assert.Equal(400, (await world.PostAsync("machines/web/keys", """{"keys":[null]}""")).Status);
        Assert.Equal(400, (await world.PostAsync("machines/web/keys", """{"keys":null}""")).Status);
        Assert.Equal(400, (await world.PostAsync("machines/web/keys", $$"""{"keys":["{{new string('a', 65537)}}"]}""")).Status);
    }

    private static async Task<string> PathAsync(ControlWorld world, string body)
    {
        var (status, ticket) = await world.PostAsync("machines/web/console", body);
        Assert.True(status == 200, $"{status}: {(ticket.ValueKind == JsonValueKind.Undefined ? "" : ticket.GetRawText())}");
        Assert.Equal(43, ticket.GetProperty("ticket").GetString()!.Length);
        return ticket.GetProperty("path").GetString()!;
    }

    /// <summary>Opens a console, and waits until the node has opened it.</summary>
    private static async Task<ClientWebSocket> OpenAsync(ControlWorld world, string body, params string[] protocols)
    {
        var before = world.ConsoleNode.Opened.Count;
        var socket = await world.OpenAsync(await PathAsync(world, body), protocols);
        for (var look = 0; look < 500 && world.ConsoleNode.OpenFails is null && world.ConsoleNode.Opened.Count == before; look++)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Token);
        return socket;
    }

    private static async Task AssertRefusedAsync(ControlWorld world, string path)
    {
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => world.OpenAsync(path));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    private static Task SendAsync(ClientWebSocket socket, byte[] message) =>
        socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, Token);

    private static async Task<(WebSocketMessageType Type, byte[] Message)> ReceiveAsync(ClientWebSocket socket)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        var buffer = new byte[1024];
        var message = new List<byte>();
        while (true)
        {
            var piece = await socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
            message.AddRange(buffer.AsSpan(0, piece.Count));
            if (piece.EndOfMessage)
                return (piece.MessageType, [.. message]);
        }
    }

    /// <summary>With which code it is closed; what comes before is let go.</summary>
    private static async Task<int> ClosedAsync(ClientWebSocket socket)
    {
        while ((await ReceiveAsync(socket)).Type != WebSocketMessageType.Close)
        {
        }

        var code = (int)socket.CloseStatus!.Value;
        if (socket.State == WebSocketState.CloseReceived)
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", Token);
        return code;
    }
}
