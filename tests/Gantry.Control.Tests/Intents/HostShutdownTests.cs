using System.Collections.Concurrent;
using System.Text.Json;
using Gantry.Model.Machines;
using Gantry.Model.Running;

namespace Gantry.Control.Tests.Intents;

public sealed class HostShutdownTests
{
    private static readonly MachineRecord[] Machines =
    [
        ControlWorld.Machine(100, "store", autostart: new AutostartSpec { Order = 1 }),
        ControlWorld.Machine(101, "web", autostart: new AutostartSpec { Order = 2 }),
        ControlWorld.Machine(102, "mail", autostart: new AutostartSpec { Order = 2 }),
        ControlWorld.Machine(103, "play"),
        ControlWorld.Machine(104, "off"),
    ];

    private readonly ConcurrentQueue<(string Name, StopManner Manner)> _ended = new();

    [Fact]
    public async Task All_GoDownInReverse_AndTheirNamesAreTold()
    {
        await using var world = await RunningAsync(_ => MachinePhase.Stopped);
        var (status, answer) = await world.PostAsync("node/shutdown-guests");
        Assert.Equal(200, status);
        Assert.Equal(
            [("mail", "shutdown"), ("play", "shutdown"), ("store", "shutdown"), ("web", "shutdown")], Outcomes(answer));
        var order = _ended.Select(one => one.Name).ToArray();
        Assert.Equal(("play", "store"), (order[0], order[^1]));
        Assert.Equal(["mail", "web"], order[1..3].Order());
        Assert.All(_ended, one => Assert.Equal(StopManner.Shutdown, one.Manner));
    }

    [Fact]
    public async Task Guest_ThatDoesNotShutDown_IsEnded()
    {
        await using var world = await RunningAsync(assignment =>
            assignment.Number.Value == 101 && assignment.Intent.Manner == StopManner.Shutdown
                ? MachinePhase.Running : MachinePhase.Stopped);
        var (_, answer) = await world.PostAsync("node/shutdown-guests", """{"timeout":60}""");
        Assert.Contains(("web", "killed"), Outcomes(answer));
        Assert.Contains(("store", "shutdown"), Outcomes(answer));
        Assert.Contains(("web", StopManner.Kill), _ended);
    }

    [Fact]
    public async Task NoTime_EndsAllAtOnce()
    {
        await using var world = await RunningAsync(_ => MachinePhase.Stopped);
        var (_, answer) = await world.PostAsync("node/shutdown-guests", """{"timeout":0}""");
        Assert.All(Outcomes(answer), one => Assert.Equal("killed", one.Outcome));
    }

    [Fact]
    public async Task TooMuchTime_IsRefused()
    {
        await using var world = await ControlWorld.MakeAsync(Machines);
        Assert.Equal(400, (await world.PostAsync("node/shutdown-guests", """{"timeout":3601}""")).Status);
    }

    private static List<(string Machine, string Outcome)> Outcomes(JsonElement answer) =>
    [
        .. answer.GetProperty("items").EnumerateArray()
            .Select(one => (one.GetProperty("machine").GetString()!, one.GetProperty("outcome").GetString()!)),
    ];

    /// <summary>All but one run; what becomes of an intent to stop is the test's to say.</summary>
    private async Task<ControlWorld> RunningAsync(Func<MachineAssignment, MachinePhase> stop)
    {
        var world = await ControlWorld.MakeAsync(Machines);
        await world.BootAsync(1);
        world.Obey(assignment =>
        {
            if (assignment.Intent.Wanted == PowerState.Running)
                return MachinePhase.Running;
            _ended.Enqueue((Machines[assignment.Number.Value - 100].Spec.Name, assignment.Intent.Manner));
            return stop(assignment);
        });
        foreach (var machine in Machines[..^1])
            await world.PostAsync($"machines/{machine.Spec.Name}/start");
        await world.Cache.WaitAsync(
            view => Machines[..^1].All(machine => view.Status(machine)?.Phase == MachinePhase.Running),
            TestContext.Current.CancellationToken);
        return world;
    }
}
