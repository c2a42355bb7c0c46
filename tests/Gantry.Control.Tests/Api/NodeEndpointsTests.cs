using Gantry.Model.Machines;

namespace Gantry.Control.Tests.Api;

public sealed class NodeEndpointsTests
{
    private static readonly MachineRecord Web = ControlWorld.Machine(100, "web");

    private int _retired;

    [Fact]
    public async Task Retire_OfAPrivateNode_EndsIt()
    {
        await using var world = await ControlWorld.MakeAsync(() => _retired++, [Web]);
        Assert.Equal(202, (await world.PostAsync("node/retire")).Status);
        Assert.Equal(1, _retired);
    }

    [Fact]
    public async Task Retire_OfANodeThatSomebodyRuns_IsRefused()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var (status, problem) = await world.PostAsync("node/retire");
        Assert.Equal(409, status);
        Assert.Contains("not started by a command", problem.GetProperty("title").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retire_WhileAnotherWaits_IsRefused()
    {
        await using var world = await ControlWorld.MakeAsync(() => _retired++, [Web]);
        await world.PostAsync("machines/web/start");
        var waiting = world.GetAsync("machines/web?settled=1&wait=30");
        while ((await world.PostAsync("node/retire")).Status != 409)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        await world.SettleAsync(await world.AssignmentAsync(Web, 1), MachinePhase.Running);
        await waiting;
    }
}
