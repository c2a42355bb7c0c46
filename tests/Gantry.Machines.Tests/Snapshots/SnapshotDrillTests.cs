using Gantry.Engines;
using Gantry.Machines.Snapshots;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Steps.Drill;

namespace Gantry.Machines.Tests.Snapshots;

/// <summary>Each step of the jobs failing, repeated, cancelled and cut off, forward and back.</summary>
public sealed class SnapshotDrillTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Taking_CutOffAnywhere_IsWholeOrGone(bool running, bool memory)
    {
        var scenarios = await new StepDrill<SnapshotTaking>(async () =>
        {
            var world = await SnapshotWorld.MakeAsync(running);
            var before = MachineVolumes.Tops(await world.MachineAsync());
            return new DrillWorld<SnapshotTaking>
            {
                NewKind = () => world.Taker().Kind,
                Context = await world.Taker().PlanAsync(world.Number, new SnapshotRequest { Name = "s1", Memory = memory }, Token),
                AssertDone = async () =>
                {
                    var machine = await world.MachineAsync();
                    var snapshot = Assert.Single(machine.Snapshots);
                    Assert.Equal(before, MachineVolumes.Of(snapshot));
                    Assert.Equal("s1", machine.CurrentSnapshot);
                    Assert.NotEqual(before, MachineVolumes.Tops(machine));
                    Assert.Equal(memory, File.Exists(Path.Combine(world.SnapshotFolder("s1"), "memory")));
                    await AssertGoesOnAsync(world, running);
                },
                AssertUndone = async () =>
                {
                    var machine = await world.MachineAsync();
                    Assert.Empty(machine.Snapshots);
                    Assert.Null(machine.CurrentSnapshot);
                    Assert.False(Directory.Exists(world.SnapshotFolder("s1")));
                    // An empty layer more shows the same content.
                    for (var i = 0; i < before.Count; i++)
                    {
                        var chain = await world.Volumes.ChainAsync(MachineVolumes.Tops(machine)[i], Token);
                        Assert.Contains(before[i], chain.Select(file => file.Id));
                    }

                    await AssertGoesOnAsync(world, running);
                },
                CleanUp = world.DisposeAsync,
            };
        }).RunAsync(Token);
        Assert.True(scenarios.Length > 40, $"{scenarios.Length} scenarios");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deleting_CutOffAnywhere_IsWholeOrNotBegun(bool running)
    {
        await new StepDrill<SnapshotDeletion>(async () =>
        {
            var world = await SnapshotWorld.MakeAsync(running);
            var first = await world.TakeAsync("s1");
            var second = await world.TakeAsync("s2");
            var before = await world.MachineAsync();
            return new DrillWorld<SnapshotDeletion>
            {
                NewKind = () => world.Deleter().Kind,
                Context = await world.Deleter().PlanAsync(world.Number, "s1", Token),
                AssertDone = async () =>
                {
                    var machine = await world.MachineAsync();
                    Assert.Equal(second with { Parent = null }, Assert.Single(machine.Snapshots));
                    Assert.Equal("s2", machine.CurrentSnapshot);
                    foreach (var volume in MachineVolumes.Of(first))
                        Assert.Null(await world.Volumes.FindAsync(volume, Token));
                    Assert.False(Directory.Exists(world.SnapshotFolder("s1")));
                    await AssertGoesOnAsync(world, running);
                },
                AssertUndone = async () =>
                {
                    Assert.Equal(before, await world.MachineAsync());
                    Assert.True(Directory.Exists(world.SnapshotFolder("s1")));
                    await AssertGoesOnAsync(world, running);
                },
                CleanUp = world.DisposeAsync,
            };
        }).RunAsync(Token);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GoingBack_CutOffAnywhere_IsThereOrWhereItWas(bool running)
    {
        await new StepDrill<SnapshotRollback>(async () =>
        {
            var world = await SnapshotWorld.MakeAsync(running);
            var snapshot = await world.TakeAsync("s1");
            await world.TakeAsync("s2");
            var before = await world.MachineAsync();
            return new DrillWorld<SnapshotRollback>
            {
                NewKind = () => world.Reverter().Kind,
                Context = await world.Reverter().PlanAsync(world.Number, "s1", Token),
                AssertDone = async () =>
                {
                    var machine = await world.MachineAsync();
                    Assert.Equal("s1", machine.CurrentSnapshot);
                    Assert.Equal(2, machine.Snapshots.Count);
                    var tops = MachineVolumes.Tops(machine);
                    for (var i = 0; i < tops.Count; i++)
                        Assert.Equal(MachineVolumes.Of(snapshot)[i], (await world.Volumes.GetAsync(tops[i], Token)).Backing);
                    foreach (var old in MachineVolumes.Tops(before))
                        Assert.Null(await world.Volumes.FindAsync(old, Token));
                    Assert.Null(world.Running);
                    await world.AssertConsistentAsync();
                },
                AssertUndone = async () =>
                {
                    Assert.Equal(before, await world.MachineAsync());
                    await world.AssertConsistentAsync();
                },
                CleanUp = world.DisposeAsync,
            };
        }).RunAsync(Token);
    }

    private static async Task AssertGoesOnAsync(SnapshotWorld world, bool running)
    {
        Assert.Equal(running ? MachinePhase.Running : null, world.Running?.Phase);
        await world.AssertConsistentAsync();
        if (running)
        {
            // What QEMU writes to is what is recorded.
            var machine = await world.MachineAsync();
            await using var guest = (await world.Host.FindAsync(machine, Token))!;
            var nodes = await guest.TopNodesAsync(Token);
            var files = await guest.NodesByFileAsync(Token);
            for (var i = 0; i < machine.Spec.Disks.Count; i++)
            {
                var top = await world.Volumes.GetAsync(machine.Spec.Disks[i].Volume, Token);
                Assert.Equal(nodes[$"disk{i}"], files[world.Volumes.PathOf(top)]);
            }
        }
    }
}
