using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Nodes;

namespace Gantry.Agent.Tests.Consoles;

public sealed class NodeServiceTests
{
    private static readonly ConsoleRequest.Serial Serial = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Serial_IsQemusSocketAndItsLog()
    {
        await using var world = await RunningAsync();
        var paths = world.Host.PathsOf(world.Machine.Number);
        await File.WriteAllTextAsync(paths.SerialLog, "booting\n", Token);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(paths.Serial));
        listener.Listen();
        Socket? client = null;
        world.Running!.OnCommand = (_, _) => Devices(isConnected: client is not null);
        var accepting = AcceptAsync();
        await using (var console = await world.Service.OpenAsync(MachineKey.Of(world.Machine), Serial, Token))
        {
            await accepting;
            await client!.SendAsync("login: "u8.ToArray(), Token);
            var seen = "";
            while (!seen.EndsWith("login: ", StringComparison.Ordinal))
            {
                var data = Assert.IsType<ConsoleFrame.Data>(await console.ReceiveAsync(Token));
                seen += Encoding.UTF8.GetString(data.Bytes.Span);
            }

            Assert.Equal("booting\nlogin: ", seen);
        }

        Assert.Equal(0, await client.ReceiveAsync(new byte[1], Token));
        client.Dispose();

        async Task AcceptAsync() => client = await listener.AcceptAsync(Token);
    }

    [Fact]
    public async Task Serial_ThatSomebodyElseHolds_IsAConflict()
    {
        await using var world = await RunningAsync();
        world.Running!.OnCommand = (_, _) => Devices(isConnected: true);
        var refused = await Assert.ThrowsAsync<ProblemException>(
            () => world.Service.OpenAsync(MachineKey.Of(world.Machine), Serial, Token));
        Assert.Equal(ProblemKind.Conflict, refused.Problem.Kind);
        Assert.Contains("somebody else", refused.Problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Machine_ThatDoesNotRun_HasNoConsole_AndNoLogBeforeItsFirstRun()
    {
        await using var world = await AgentWorld.MakeAsync();
        var key = MachineKey.Of(world.Machine);
        foreach (var request in (ConsoleRequest[])[Serial, new ConsoleRequest.Vnc(), new ConsoleRequest.Exec { Command = "ls" }])
        {
            await AssertAsync(ProblemKind.Conflict, () => world.Service.CheckAsync(key, request, Token));
            await AssertAsync(ProblemKind.Conflict, () => world.Service.OpenAsync(key, request, Token));
        }

        await AssertAsync(ProblemKind.Conflict, () => world.Service.ScreenshotAsync(key, Token));
        await AssertAsync(ProblemKind.Conflict, () => world.Service.TypeAsync(key, ["a"], Token));
        await AssertAsync(ProblemKind.NotFound, () => LogAsync(world, key, follow: false));
        await AssertAsync(ProblemKind.NotFound, () => LogAsync(world, key, follow: true));
    }

    [Fact]
    public async Task Machine_ThatWasMadeAnew_IsNotTheOneThatWasMeant()
    {
        await using var world = await RunningAsync();
        var other = MachineKey.Of(world.Machine) with { Uuid = Guid.Empty };
        await AssertAsync(ProblemKind.NotFound, () => world.Service.CheckAsync(other, Serial, Token));
        await AssertAsync(ProblemKind.NotFound, () => world.Service.OpenAsync(other, Serial, Token));
        await AssertAsync(ProblemKind.NotFound, () => world.Service.ScreenshotAsync(other, Token));
        await AssertAsync(ProblemKind.NotFound, () => LogAsync(world, other, follow: false));
    }

    [Fact]
    public async Task MachineOfABuild_IsLeftAlone()
    {
        await using var world = await AgentWorld.MakeAsync();
        var machine = await world.MakeBuildMachineAsync();
        await using var guest = await world.Host.StartAsync(machine.Number, new StartOptions(), NoProgress.Instance, Token);
        var key = MachineKey.Of(machine);
        await AssertAsync(ProblemKind.Conflict, () => world.Service.CheckAsync(key, Serial, Token));
        await AssertAsync(ProblemKind.Conflict, () => world.Service.OpenAsync(key, Serial, Token));
        await AssertAsync(ProblemKind.Conflict, () => world.Service.TypeAsync(key, ["a"], Token));
    }

    [Fact]
    public async Task Keys_ThatCantBeTyped_AreRefusedWithTheirPlace()
    {
        await using var world = await RunningAsync();
        var refused = await Assert.ThrowsAsync<ProblemException>(
            () => world.Service.TypeAsync(MachineKey.Of(world.Machine), ["<wait5x>{{ env `HOME` }}"], Token));
        Assert.Equal(ProblemKind.InvalidInput, refused.Problem.Kind);
        Assert.NotEmpty(refused.Problem.Detail);
    }

    private static async Task<AgentWorld> RunningAsync()
    {
        var world = await AgentWorld.MakeAsync();
        await using var guest = await world.Host.StartAsync(world.Machine.Number, new StartOptions(), NoProgress.Instance, Token);
        return world;
    }

    private static async Task LogAsync(AgentWorld world, MachineKey key, bool follow)
    {
        await foreach (var _ in world.Service.ReadLogAsync(key, new LogRequest { Lines = 1, Follow = follow }, Token))
        {
        }
    }

    private static async Task AssertAsync(ProblemKind kind, Func<Task> call) =>
        Assert.Equal(kind, (await Assert.ThrowsAsync<ProblemException>(call)).Problem.Kind);

    private static JsonElement Devices(bool isConnected) => JsonElement.Parse(
        $$"""[{"label":"qmp0","filename":"unix:x"},{"label":"serial0","filename":"{{(isConnected ? "" : "disconnected:")}}unix:x"}]""");
}
