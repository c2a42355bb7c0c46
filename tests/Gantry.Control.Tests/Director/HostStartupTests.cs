using System.Collections.Concurrent;
using Gantry.Control.Director;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gantry.Control.Tests.Director;

public sealed class HostStartupTests
{
    private static readonly MachineRecord[] Machines =
    [
        ControlWorld.Machine(100, "last", autostart: new AutostartSpec()),
        ControlWorld.Machine(101, "second", autostart: new AutostartSpec { Order = 2 }),
        ControlWorld.Machine(102, "never"),
        ControlWorld.Machine(103, "first", autostart: new AutostartSpec { Order = 1, DelaySeconds = 1 }),
    ];

    private readonly ConcurrentQueue<(int Number, TimeSpan At)> _started = new();
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly long _began = TimeProvider.System.GetTimestamp();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Boot_StartsThoseThatAreTo_InOrderAndWithDelay()
    {
        await using var world = await ControlWorld.MakeAsync(Machines);
        world.Obey(Start);
        await RunAsync(world, boot: 1, expected: 3);
        Assert.Equal([103, 101, 100], _started.Select(one => one.Number));
        var times = _started.Select(one => one.At).ToArray();
        Assert.True(times[1] - times[0] >= TimeSpan.FromSeconds(0.95), $"the second waited {times[1] - times[0]}");
        Assert.Null(world.Cache.View.Intents.GetValueOrDefault(new MachineNumber(102)));
    }

    [Fact]
    public async Task Boot_ThatWasSeenToAlready_StartsNothing()
    {
        await using var world = await ControlWorld.MakeAsync(Machines);
        world.Obey(Start);
        await RunAsync(world, boot: 1, expected: 3);
        await world.PostAsync("machines/second/stop");
        await RunAsync(world, boot: 1, expected: 3);
        Assert.Equal(PowerState.Stopped, world.Cache.View.Intents[new MachineNumber(101)].Value.Wanted);
    }

    [Fact]
    public async Task NextBoot_StartsThemAgain_AlsoThoseThatAUserStopped()
    {
        await using var world = await ControlWorld.MakeAsync(Machines);
        world.Obey(Start);
        await RunAsync(world, boot: 1, expected: 3);
        await world.PostAsync("machines/second/stop");
        await world.Cache.WaitAsync(view => view.Status(Machines[1])?.Phase == MachinePhase.Stopped, Token);
        await RunAsync(world, boot: 2, expected: 4);
        Assert.Equal(101, _started.Last().Number);
    }

    [Fact]
    public async Task Director_ThatEndedOnTheWay_IsFollowedFromWhereItWas()
    {
        await using var world = await ControlWorld.MakeAsync(Machines);
        await world.BootAsync(1);
        using (var end = new CancellationTokenSource())
        {
            // Nobody settles anything: it waits for its first machine.
            var run = Startup(world).RunAsync(ControlWorld.Node, end.Token);
            await world.Cache.WaitAsync(view => view.Intents.Count == 1, Token);
            await end.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        }

        world.Obey(Start);
        await RunAsync(world, boot: 1, expected: 3);
        Assert.Equal([103, 101, 100], _started.Select(one => one.Number));
        Assert.All(world.Cache.View.Intents.Values, intent => Assert.Equal(1, intent.Value.Sequence));
    }

    [Fact]
    public async Task Machine_ThatCannotStart_DoesNotKeepTheOthers()
    {
        await using var world = await ControlWorld.MakeAsync(Machines);
        world.Obey(assignment => assignment.Number.Value == 103 ? MachinePhase.Stopped : Start(assignment));
        await RunAsync(world, boot: 1, expected: 2);
        Assert.Equal([101, 100], _started.Select(one => one.Number));
    }

    private static HostStartup Startup(ControlWorld world) =>
        new(world.Cache, world.Store, world.Desk, TimeProvider.System, NullLogger.Instance);

    private MachinePhase Start(MachineAssignment assignment)
    {
        if (assignment.Intent.Wanted == PowerState.Stopped)
            return MachinePhase.Stopped;
        _started.Enqueue((assignment.Number.Value, _time.GetElapsedTime(_began)));
        return MachinePhase.Running;
    }

    /// <summary>Runs until all turns are over.</summary>
    private async Task RunAsync(ControlWorld world, int boot, int expected)
    {
        await world.BootAsync(boot);
        using var end = new CancellationTokenSource();
        var run = Startup(world).RunAsync(ControlWorld.Node, end.Token);
        await foreach (var news in RunningRecords.Startups(world.Store).FollowAsync(Token))
        {
            if (news.All.GetValueOrDefault(ControlWorld.Node)?.Value is { Waiting.Count: 0 } startup
                && startup.Boot == new Guid(boot, 0, 0, new byte[8]))
            {
                break;
            }
        }

        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.Equal(expected, _started.Count);
    }
}
