using Gantry.Machines.Catalog;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.State;

namespace Gantry.Machines.Tests.Catalog;

public sealed class MachineCatalogTests
{
    private readonly MachineCatalog _catalog = new(new InMemoryStateStore());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Add_UnderATakenName_IsRefusedAndWritesNothing()
    {
        await _catalog.TryAddAsync(Machine(100, "web"), [], [], Cancellation);
        var refusal = await Assert.ThrowsAsync<ProblemException>(
            async () => await _catalog.TryAddAsync(Machine(101, "web"), [], [], Cancellation));
        Assert.Equal(ProblemKind.Conflict, refusal.Problem.Kind);
        Assert.Null(await _catalog.FindAsync(new MachineNumber(101), Cancellation));
    }

    [Fact]
    public async Task NextNumber_WithAGap_FillsIt()
    {
        await _catalog.TryAddAsync(Machine(100, "a"), [], [], Cancellation);
        await _catalog.TryAddAsync(Machine(102, "c"), [], [], Cancellation);
        Assert.Equal(101, (await _catalog.NextNumberAsync(Cancellation)).Value);
    }

    [Fact]
    public async Task Rename_ToATakenName_IsRefusedAndKeepsTheOldOne()
    {
        await _catalog.TryAddAsync(Machine(100, "a"), [], [], Cancellation);
        await _catalog.TryAddAsync(Machine(101, "b"), [], [], Cancellation);
        await Assert.ThrowsAsync<ProblemException>(async () => await RenameAsync(100, "b"));
        Assert.Equal(100, (await _catalog.GetAsync("a", Cancellation)).Number.Value);
        await RenameAsync(100, "c");
        Assert.Null(await _catalog.FindAsync("a", Cancellation));
        Assert.Equal(100, (await _catalog.GetAsync("c", Cancellation)).Number.Value);
    }

    [Fact]
    public async Task Get_OfANameOneLetterOff_OffersTheRightOne()
    {
        await _catalog.TryAddAsync(Machine(100, "rezowifix"), [], [], Cancellation);
        var problem = (await Assert.ThrowsAsync<ProblemException>(async () => await _catalog.GetAsync("rezowifx", Cancellation))).Problem;
        Assert.Equal("did you mean 'rezowifix'?", problem.Remedy);
    }

    [Fact]
    public async Task Remove_OfARecordThatChangedSince_DoesNotHappen()
    {
        var machine = Machine(100, "a");
        await _catalog.TryAddAsync(machine, [], [], Cancellation);
        await _catalog.UpdateAsync(machine.Number, m => m with { Spec = m.Spec with { Protected = true } }, Cancellation);
        Assert.False(await _catalog.TryRemoveAsync(machine, [], [], Cancellation));
    }

    private Task<MachineRecord> RenameAsync(int number, string name) => _catalog.UpdateAsync(
        new MachineNumber(number), m => m with { Spec = m.Spec with { Name = name } }, Cancellation).AsTask();

    private static MachineRecord Machine(int number, string name) => new()
    {
        Number = new MachineNumber(number),
        Uuid = new Guid(number, 0, 0, new byte[8]),
        InstanceId = "i-1",
        Created = DateTimeOffset.UnixEpoch,
        Spec = new MachineSpec { Name = name, Isa = Isa.X86_64 },
    };
}
