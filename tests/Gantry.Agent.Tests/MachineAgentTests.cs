using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;

namespace Gantry.Agent.Tests;

public sealed class MachineAgentTests
{
    private static readonly RestartSpec OnFailure = new() { Policy = RestartPolicy.OnFailure, DelaySeconds = 0, Limit = 3 };

    [Fact]
    public async Task Assignment_ToRun_StartsTheMachineOnce()
    {
        await using var world = await AgentWorld.MakeAsync();
        var status = await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        Assert.Equal((MachinePhase.Running, 1L, AgentWorld.Node), (status.Phase, status.Epoch, status.Node));
        Assert.Null(status.Problem);
        Assert.NotNull(world.Running);
        Assert.Single(world.Engine.Launches);
    }

    [Fact]
    public async Task Assignment_ToStop_ShutsTheGuestDown()
    {
        await using var world = await AgentWorld.MakeAsync();
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        var status = await world.SettledAsync(await world.AssignAsync(PowerState.Stopped));
        Assert.Equal(MachinePhase.Stopped, status.Phase);
        Assert.True(status.LastExit!.Orderly);
        Assert.Null(world.Running);
    }

    [Fact]
    public async Task Start_ThatFails_IsGivenUpWithTheReason()
    {
        await using var world = await AgentWorld.MakeAsync();
        world.Engine.OnStart = (_, _, _) => throw new ProblemException(ProblemKind.Unavailable, "the port is taken", "take another");
        var status = await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        Assert.Equal(MachinePhase.Stopped, status.Phase);
        Assert.Equal(("the port is taken", "take another"), (status.Problem!.Summary, status.Problem.Remedy));
        Assert.Null(status.NextRestart);
    }

    [Fact]
    public async Task Shutdown_ThatTheGuestIgnores_LeavesItRunningAndSaysSo()
    {
        await using var world = await AgentWorld.MakeAsync();
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        world.Running!.OnPowerButton = _ => { };
        var status = await world.SettledAsync(await world.AssignAsync(PowerState.Stopped, patience: 0));
        Assert.Equal((MachinePhase.Running, ProblemKind.TimedOut), (status.Phase, status.Problem!.Kind));
    }

    [Fact]
    public async Task Kill_WhileAShutdownIsWaitedFor_TakesItsPlace()
    {
        await using var world = await AgentWorld.MakeAsync();
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        world.Running!.OnPowerButton = _ => { };
        await world.AssignAsync(PowerState.Stopped, patience: 3600);
        await world.WaitAsync(status => status.Phase == MachinePhase.Stopping);
        var status = await world.SettledAsync(await world.AssignAsync(PowerState.Stopped, StopManner.Kill));
        Assert.Equal(MachinePhase.Stopped, status.Phase);
        Assert.Null(status.Problem);
    }

    [Fact]
    public async Task Restart_BeginsANewRun()
    {
        await using var world = await AgentWorld.MakeAsync();
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        var first = world.Running;
        await world.SettledAsync(await world.AssignAsync(PowerState.Running, anew: true));
        Assert.NotNull(world.Running);
        Assert.NotSame(first, world.Running);
    }

    [Fact]
    public async Task Crash_WithoutAPolicy_LeavesItStoppedWithTheReason()
    {
        await using var world = await AgentWorld.MakeAsync();
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        world.Running!.End("guest-panic");
        var status = await world.WaitAsync(status => status.Phase == MachinePhase.Stopped);
        Assert.Equal(("guest-panic", false), (status.LastExit!.Reason, status.LastExit.Orderly));
        Assert.Null(status.NextRestart);
    }

    [Fact]
    public async Task Crash_WithOnFailure_IsFollowedByRestartsUpToTheLimit()
    {
        await using var world = await AgentWorld.MakeAsync(OnFailure);
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        for (var restart = 1; restart <= 3; restart++)
        {
            world.Running!.End("host-signal");
            await world.WaitAsync(status => status.Phase == MachinePhase.Running && status.Restarts == restart);
        }

        world.Running!.End("host-signal");
        var status = await world.WaitAsync(status => status.Phase == MachinePhase.Stopped);
        Assert.Null(status.NextRestart);
        Assert.Equal(4, world.Engine.Launches.Count);
    }

    [Fact]
    public async Task GuestThatShutsDown_WithOnFailure_StaysStopped()
    {
        await using var world = await AgentWorld.MakeAsync(OnFailure);
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        world.Running!.End("guest-shutdown");
        var status = await world.WaitAsync(status => status.Phase == MachinePhase.Stopped);
        Assert.Null(status.NextRestart);
        Assert.Single(world.Engine.Launches);
    }

    [Fact]
    public async Task Agent_ThatComesBack_FindsItsMachineAndDoesNotStartItTwice()
    {
        await using var world = await AgentWorld.MakeAsync();
        var sequence = await world.AssignAsync(PowerState.Running, anew: true);
        await world.SettledAsync(sequence);
        await world.StopAgentAsync();
        // As if it had died before it wrote down what it did.
        var statuses = RunningRecords.Statuses(world.Store);
        await statuses.UpdateAsync(
            RunningRecords.Id(world.Machine.Number), status => status with { Settled = 0, Phase = MachinePhase.Starting },
            TestContext.Current.CancellationToken);
        world.StartAgent();
        var status = await world.SettledAsync(sequence);
        Assert.Equal(MachinePhase.Running, status.Phase);
        Assert.Single(world.Engine.Launches);
    }

    [Fact]
    public async Task Machine_ThatEndedWhileNobodyLooked_IsSeenAsFailed()
    {
        await using var world = await AgentWorld.MakeAsync(OnFailure);
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        await world.StopAgentAsync();
        world.Running!.End("host-signal");
        world.StartAgent();
        await world.WaitAsync(status => status.Phase == MachinePhase.Running && status.Restarts == 1);
        Assert.Equal(2, world.Engine.Launches.Count);
    }

    [Fact]
    public async Task Machine_ThatWentDownWithItsHost_IsLeftStopped()
    {
        await using var world = await AgentWorld.MakeAsync(OnFailure);
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        await world.StopAgentAsync();
        world.Running!.End("host-signal");
        world.Boot = new Guid(2, 0, 0, new byte[8]);
        world.StartAgent();
        var status = await world.WaitAsync(status => status.Phase == MachinePhase.Stopped);
        Assert.Equal("host-down", status.LastExit!.Reason);
        Assert.Null(status.NextRestart);
        Assert.Single(world.Engine.Launches);
    }

    [Fact]
    public async Task Restart_ThatWasDueBeforeTheHostWentDown_IsNotDone()
    {
        await using var world = await AgentWorld.MakeAsync(OnFailure with { DelaySeconds = 60 });
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        world.Running!.End("host-signal");
        await world.WaitAsync(status => status.NextRestart is not null);
        await world.StopAgentAsync();
        world.Boot = new Guid(2, 0, 0, new byte[8]);
        world.StartAgent();
        Assert.Equal(MachinePhase.Stopped, (await world.WaitAsync(status => status.NextRestart is null)).Phase);
    }

    [Fact]
    public async Task Node_TellsItsBoot_OnceNoStatusIsFromBeforeIt()
    {
        await using var world = await AgentWorld.MakeAsync();
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        await world.StopAgentAsync();
        world.Running!.End("host-signal");
        world.Boot = new Guid(2, 0, 0, new byte[8]);
        world.StartAgent();
        await foreach (var news in RunningRecords.Nodes(world.Store).FollowAsync(TestContext.Current.CancellationToken))
        {
            if (news.All.GetValueOrDefault(AgentWorld.Node)?.Value.Boot == world.Boot)
                break;
        }

        var status = await RunningRecords.Statuses(world.Store).GetAsync(
            RunningRecords.Id(world.Machine.Number), TestContext.Current.CancellationToken);
        Assert.Equal(MachinePhase.Stopped, status!.Value.Phase);
    }

    [Fact]
    public async Task Pause_BySomebodyElse_IsSeenAndItsEndToo()
    {
        await using var world = await AgentWorld.MakeAsync();
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        var running = world.Running!;
        running.Phase = MachinePhase.Paused;
        var started = (await world.WaitAsync(status => status.Phase == MachinePhase.Paused)).Started;
        running.Phase = MachinePhase.Running;
        var status = await world.WaitAsync(status => status.Phase == MachinePhase.Running);
        Assert.NotNull(started);
        Assert.Equal(started, status.Started);
    }

    [Fact]
    public async Task Machine_ThatSomebodyElseStarted_IsNoticed()
    {
        await using var world = await AgentWorld.MakeAsync();
        await using var guest = await world.Host.StartAsync(
            world.Machine.Number, new Machines.Run.StartOptions(), NoProgress.Instance, TestContext.Current.CancellationToken);
        var status = await world.WaitAsync(status => status.Phase == MachinePhase.Running);
        Assert.Equal(0, status.Epoch);
    }

    [Fact]
    public async Task Start_ThatSomebodyElseCameBeforeWith_IsAsGood()
    {
        await using var world = await AgentWorld.MakeAsync();
        using (await world.Host.LockAsync(
            world.Machine.Number, TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken))
        {
            await world.AssignAsync(PowerState.Running);
            await world.WaitAsync(status => status.Phase == MachinePhase.Starting);
            await using var guest = await world.Host.StartLockedAsync(
                world.Machine.Number, new Machines.Run.StartOptions(), NoProgress.Instance,
                TestContext.Current.CancellationToken);
        }

        var status = await world.SettledAsync(1);
        Assert.Equal(MachinePhase.Running, status.Phase);
        Assert.Null(status.Problem);
        Assert.Single(world.Engine.Launches);
    }

    [Fact]
    public async Task Machine_ThatIsDeleted_LeavesNothingBehind()
    {
        await using var world = await AgentWorld.MakeAsync(OnFailure with { Policy = RestartPolicy.Always, DelaySeconds = 1 });
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        await world.Remover.DeleteAsync(world.Machine, stop: true, TestContext.Current.CancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Null(world.Running);
        Assert.Null(await RunningRecords.Assignments(world.Store).GetAsync(
            RunningRecords.Id(world.Machine.Number), TestContext.Current.CancellationToken));
        Assert.Null(await RunningRecords.Statuses(world.Store).GetAsync(
            RunningRecords.Id(world.Machine.Number), TestContext.Current.CancellationToken));
    }
}
