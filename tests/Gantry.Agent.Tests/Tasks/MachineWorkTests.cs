using Gantry.Agent.Tasks;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.Tasks;

namespace Gantry.Agent.Tests.Tasks;

public sealed class MachineWorkTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Delete_TakesTheMachineAway_AndRefusesOneThatRuns()
    {
        await using var world = await AgentWorld.MakeAsync();
        await world.SettledAsync(await world.AssignAsync(PowerState.Running));
        var delete = new TaskWork.DeleteMachine { Target = IdOf(world.Machine) };
        var problem = await Assert.ThrowsAsync<ProblemException>(() => DoAsync(world, delete));
        Assert.Equal(ProblemKind.Conflict, problem.Problem.Kind);
        await DoAsync(world, delete with { Force = true });
        Assert.Null(await world.Catalog.FindAsync(world.Machine.Number, Token));
    }

    [Fact]
    public async Task Work_OnAnotherMachineOfTheSameNumber_IsNotDone()
    {
        await using var world = await AgentWorld.MakeAsync();
        var delete = new TaskWork.DeleteMachine { Target = IdOf(world.Machine) with { Uuid = Guid.NewGuid() } };
        var problem = await Assert.ThrowsAsync<ProblemException>(() => DoAsync(world, delete));
        Assert.Equal(ProblemKind.NotFound, problem.Problem.Kind);
        Assert.NotNull(await world.Catalog.FindAsync(world.Machine.Number, Token));
    }

    private static MachineId IdOf(MachineRecord machine) => new()
    {
        Number = machine.Number,
        Uuid = machine.Uuid,
        Name = machine.Spec.Name,
    };

    private static Task<TaskResult> DoAsync(AgentWorld world, TaskWork work) => new MachineWork(new MachineServices
    {
        Folders = null!,
        Machines = world.Catalog,
        Templates = null!,
        Launcher = null!,
        Remover = world.Remover,
        Host = world.Host,
        Snapshots = null!,
        SnapshotDeleter = null!,
        Reverter = null!,
        OnLonger = (_, _) => Task.CompletedTask,
    }).DoAsync(work, NoProgress.Instance, Token);
}
