using System.Text.Json;
using Gantry.Machines.Snapshots;
using Gantry.Machines.Tests.Guest;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.State;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Tests.Snapshots;

public sealed class SnapshotTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ManySnapshots_KeepChainsShort(bool running)
    {
        await using var world = await SnapshotWorld.MakeAsync(running);
        for (var i = 0; i < 20; i++)
        {
            await world.TakeAsync($"s{i}");
            Assert.InRange(await world.LongestChainAsync(), 1, VolumePool.LongestChain);
        }

        await world.AssertConsistentAsync();
        for (var i = 0; i < 20; i += 2)
            await world.Deleter().DeleteAsync(world.Number, $"s{i}", NoProgress.Instance, Token);
        await world.AssertConsistentAsync();
        Assert.Equal("s19", (await world.MachineAsync()).CurrentSnapshot);
        for (var i = 1; i < 20; i += 2)
            await world.Deleter().DeleteAsync(world.Number, $"s{i}", NoProgress.Instance, Token);
        await world.AssertConsistentAsync();
        Assert.Null((await world.MachineAsync()).CurrentSnapshot);
        // A layer of the machine's own over each of the template's.
        Assert.Equal(6, (await world.Volumes.ListAsync(Token)).Length);
    }

    [Fact]
    public async Task AsManyAsThereMayBe_FitTheRecord_AndOneMoreIsRefused()
    {
        await using var world = await SnapshotWorld.MakeAsync();
        for (var i = 0; i < SnapshotTaker.MostSnapshots; i++)
            await world.TakeAsync($"{new string('n', 55)}-{i}");
        Assert.Equal(ProblemKind.Conflict, (await RefusedAsync(() => world.TakeAsync("one-more"))).Kind);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(await world.MachineAsync(), ModelJson.Default.MachineRecord).Length;
        Assert.InRange(bytes, 1, StateLimits.MaxValueBytes * 3 / 4);
    }

    [Fact]
    public async Task Take_OfATakenName_OrWithMemoryOfAStoppedMachine_IsRefused()
    {
        await using var world = await SnapshotWorld.MakeAsync();
        await world.TakeAsync("s1");
        Assert.Contains("gantry snapshot delete web s1", (await RefusedAsync(() => world.TakeAsync("s1"))).Remedy, StringComparison.Ordinal);
        Assert.Contains("is stopped", (await RefusedAsync(() => world.TakeAsync("s2", memory: true))).Summary, StringComparison.Ordinal);
        var delete = await RefusedAsync(() => world.Deleter().DeleteAsync(world.Number, "s3", NoProgress.Instance, Token));
        Assert.Equal((ProblemKind.NotFound, "did you mean 's1'?"), (delete.Kind, delete.Remedy));
        await world.AssertConsistentAsync();
    }

    [Fact]
    public async Task Take_WithMemory_KeepsTheHardwareThatRuns_NotTheOneToCome()
    {
        await using var world = await SnapshotWorld.MakeAsync(running: true);
        await world.Catalog.UpdateAsync(world.Number, record => record with { Spec = record.Spec with { MemoryMiB = 4096 } }, Token);
        var snapshot = await world.TakeAsync("s1", memory: true);
        Assert.Equal(512, snapshot.Spec.MemoryMiB);
        Assert.Equal(Accelerator.Tcg, snapshot.Accelerator);
        Assert.Equal(MachinePhase.Running, world.Running!.Phase);
    }

    [Fact]
    public async Task Take_OfAPausedMachine_LeavesItPaused()
    {
        await using var world = await SnapshotWorld.MakeAsync(running: true);
        world.Running!.Phase = MachinePhase.Paused;
        await world.TakeAsync("s1", memory: true);
        Assert.Equal(MachinePhase.Paused, world.Running!.Phase);
    }

    [Fact]
    public async Task GoingBack_RestoresHardware_AndKeepsWhatAUserSaysOfTheMachine()
    {
        await using var world = await SnapshotWorld.MakeAsync();
        await world.TakeAsync("s1");
        await world.Catalog.UpdateAsync(
            world.Number,
            record => record with { Spec = record.Spec with { MemoryMiB = 4096, Notes = "kept", Name = "web2", Protected = true } },
            Token);
        await world.Reverter().RollBackAsync(world.Number, "s1", new RollbackOptions(), NoProgress.Instance, Token);
        var spec = (await world.MachineAsync()).Spec;
        Assert.Equal((512, "kept", "web2", true), (spec.MemoryMiB, spec.Notes, spec.Name, spec.Protected));
        Assert.Null(world.Running);
        await world.AssertConsistentAsync();
    }

    [Fact]
    public async Task GoingBack_WithoutMemory_StartsAgainWhatRan()
    {
        await using var world = await SnapshotWorld.MakeAsync(running: true);
        await world.TakeAsync("s1");
        await world.Reverter().RollBackAsync(world.Number, "s1", new RollbackOptions(), NoProgress.Instance, Token);
        Assert.Equal(MachinePhase.Running, world.Running!.Phase);
        Assert.False(world.Running.Launch.Incoming);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GoingBack_ToMemoryThatCannotBeRenewed_BootsColdUnlessItIsTakenAsItIs(bool unrenewed)
    {
        await using var world = await SnapshotWorld.MakeAsync(running: true);
        world.Running!.Memory = "kept";
        await world.TakeAsync("s1", memory: true);
        world.Running!.Memory = "later";
        // The machine publishes no port for SSH.
        await world.Reverter().RollBackAsync(world.Number, "s1", new RollbackOptions { Unrenewed = unrenewed }, NoProgress.Instance, Token);
        Assert.Equal(unrenewed ? "kept" : "", world.Running!.Memory);
        Assert.Equal(MachinePhase.Running, world.Running.Phase);
    }

    [Fact]
    public async Task GoingBack_ToMemoryWithAGuestAgent_NeedsNoSsh()
    {
        await using var world = await SnapshotWorld.MakeAsync(running: true);
        world.Running!.Memory = "kept";
        await world.TakeAsync("s1", memory: true);
        world.Running!.Memory = "later";
        var agent = new FakeAgent();
        world.Engine.OnStart = (_, machine, _) =>
        {
            agent.Serve(machine);
            return Task.CompletedTask;
        };
        await world.Reverter().RollBackAsync(world.Number, "s1", new RollbackOptions(), NoProgress.Instance, Token);
        Assert.Equal("kept", world.Running!.Memory);
        Assert.Equal(2, agent.Programs.Count);
    }

    [Fact]
    public async Task Delete_OfTheMachine_TakesItsSnapshotsAlong()
    {
        await using var world = await SnapshotWorld.MakeAsync();
        await world.TakeAsync("s1");
        await world.TakeAsync("s2");
        await world.Remover.DeleteAsync(await world.MachineAsync(), stop: false, Token);
        await world.AssertConsistentAsync();
        Assert.Equal(3, (await world.Volumes.ListAsync(Token)).Length);
        Assert.False(Directory.Exists(world.Folders.MachineFolder(world.Number)));
    }

    private static async Task<Problem> RefusedAsync(Func<Task> work) =>
        (await Assert.ThrowsAsync<ProblemException>(work)).Problem;
}
