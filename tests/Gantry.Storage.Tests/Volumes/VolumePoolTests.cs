using Gantry.Model;
using Gantry.Model.State;
using Gantry.Storage.Volumes;

namespace Gantry.Storage.Tests.Volumes;

public sealed class VolumePoolTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-pool-").FullName;
    private readonly InMemoryStateStore _store = new();
    private readonly VolumePool _pool;

    public VolumePoolTests()
    {
        var folders = new DataFolders(Path.Combine(_folder, "home"), Path.Combine(_folder, "run"));
        folders.Create();
        _pool = new VolumePool(_store, folders, TimeProvider.System, SystemEntropy.Instance);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Release_OfTheLastUser_RemovesTheChainThatNobodyElseUses()
    {
        var bottom = await MakeAsync("template-a");
        var middle = await MakeAsync("layer-b", bottom);
        var top = await MakeAsync("machine-100", middle);
        var other = await MakeAsync("machine-101", bottom);
        await _pool.ReleaseAsync(bottom.Id, "template-a", Cancellation);
        await _pool.ReleaseAsync(middle.Id, "layer-b", Cancellation);
        Assert.Equal(4, (await _pool.ListAsync(Cancellation)).Length);

        await _pool.ReleaseAsync(top.Id, "machine-100", Cancellation);

        Assert.Equal([bottom.Id, other.Id], (await _pool.ListAsync(Cancellation)).Select(v => v.Id).OrderBy(id => id == other.Id));
        Assert.Equal(2, Directory.GetFiles(_pool.Folders.Volumes).Length);
        await _pool.ReleaseAsync(other.Id, "machine-101", Cancellation);
        Assert.Empty(await _pool.ListAsync(Cancellation));
        Assert.Empty(Directory.GetFiles(_pool.Folders.Volumes));
    }

    [Fact]
    public async Task Release_Repeated_ChangesNothing()
    {
        var bottom = await MakeAsync("template-a");
        await MakeAsync("machine-100", bottom);
        await _pool.ReleaseAsync(bottom.Id, "template-a", Cancellation);
        await _pool.ReleaseAsync(bottom.Id, "template-a", Cancellation);
        Assert.Equal(2, (await _pool.ListAsync(Cancellation)).Length);
    }

    [Fact]
    public async Task Chain_OfAnOverlay_IsItsFilesTopFirst()
    {
        var bottom = await MakeAsync("template-a");
        var top = await MakeAsync("machine-100", bottom);
        Assert.Equal([top.Id, bottom.Id], (await _pool.ChainAsync(top.Id, Cancellation)).Select(file => file.Id));
    }

    [Fact]
    public async Task Sweep_AfterACrash_RemovesFilesWithoutRecordsAndVolumesWithoutUsers()
    {
        var kept = await MakeAsync("machine-100");
        var stray = Path.Combine(_pool.Folders.Volumes, "0011223344556677.qcow2");
        await File.WriteAllTextAsync(stray, "left by a crash", Cancellation);
        await File.WriteAllTextAsync(_pool.PathOf(kept) + ".part", "a copy under way", Cancellation);
        var unused = await MakeAsync("job-1");
        await _store.CommitAsync(new StateTransaction { Then = [_pool.Unuse(unused.Id, "job-1")] }, Cancellation);

        var removed = await _pool.SweepAsync(Cancellation);

        Assert.Equal([Path.GetFileName(stray)], removed);
        Assert.Equal([kept.Id], (await _pool.ListAsync(Cancellation)).Select(v => v.Id));
        Assert.True(File.Exists(_pool.PathOf(kept) + ".part"));
    }

    [Fact]
    public async Task Adopt_OverAVolumeThatIsGone_DoesNotHappen()
    {
        var bottom = await MakeAsync("template-a");
        var top = _pool.Plan("disk", 1 << 20, bottom.Id);
        await _pool.ReleaseAsync(bottom.Id, "template-a", Cancellation);
        var commit = await _store.CommitAsync(
            new StateTransaction { When = [.. _pool.AdoptConditions(top)], Then = [.. _pool.Adopt(top, "machine-100")] }, Cancellation);
        Assert.False(commit.Succeeded);
    }

    private async Task<Gantry.Model.Volumes.VolumeRecord> MakeAsync(string user, Gantry.Model.Volumes.VolumeRecord? backing = null)
    {
        var volume = _pool.Plan("disk", 1 << 20, backing?.Id);
        var commit = await _store.CommitAsync(
            new StateTransaction { When = [.. _pool.AdoptConditions(volume)], Then = [.. _pool.Adopt(volume, user)] }, Cancellation);
        Assert.True(commit.Succeeded);
        _pool.CreateFile(volume);
        return volume;
    }
}
