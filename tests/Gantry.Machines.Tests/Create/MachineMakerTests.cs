using Gantry.Machines.Run;
using Gantry.Machines.Tests.Snapshots;

namespace Gantry.Machines.Tests.Create;

public sealed class MachineMakerTests
{
    [Fact]
    public async Task Number_ThatAnotherMakerHolds_IsWaitedFor()
    {
        await using var world = await SnapshotWorld.MakeAsync();
        var next = await world.Catalog.NextNumberAsync(TestContext.Current.CancellationToken);
        Task<Model.Machines.MachineRecord> adding;
        using (MachineLock.TryTake(world.Folders, next))
        {
            adding = world.AddAsync("other");
            Assert.False(adding.IsCompleted);
        }

        // The other one let it go without a machine.
        Assert.Equal(next, (await adding).Number);
    }
}
