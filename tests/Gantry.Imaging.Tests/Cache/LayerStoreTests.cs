using Gantry.Imaging.Builds;
using Gantry.Imaging.Cache;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Model.State;
using Gantry.Model.Volumes;
using Gantry.Storage;
using Gantry.Storage.Volumes;

namespace Gantry.Imaging.Tests.Cache;

public sealed class LayerStoreTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-layers-").FullName;
    private readonly InMemoryStateStore _store = new();
    private readonly DataFolders _folders;
    private readonly VolumePool _pool;
    private readonly LayerStore _layers;

    public LayerStoreTests()
    {
        _folders = new DataFolders(Path.Combine(_folder, "home"), Path.Combine(_folder, "run"));
        _folders.Create();
        _pool = new VolumePool(_store, _folders, TimeProvider.System, SystemEntropy.Instance);
        _layers = new LayerStore(_store, _folders, _pool, TimeProvider.System);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Added_IsFoundUntilAFileIsGone()
    {
        var layer = await AddAsync("aa");
        Assert.Equal(layer, await _layers.FindAsync("aa", Token));
        Assert.Null(await _layers.FindAsync("bb", Token));
        Assert.Equal([LayerStore.UserOf("aa")], await _pool.UsersAsync(layer.Spec.Disks[0].Volume, Token));

        File.Delete(_layers.MemoryFile("aa"));
        Assert.Null(await _layers.FindAsync("aa", Token));
        await File.WriteAllTextAsync(_layers.MemoryFile("aa"), "memory", Token);
        Assert.NotNull(await _layers.FindAsync("aa", Token));
        File.Delete(Assert.Single(Directory.GetFiles(_folders.Volumes)));
        Assert.Null(await _layers.FindAsync("aa", Token));
    }

    [Fact]
    public async Task Add_OfAVolumeThatIsGone_IsRefused()
    {
        var layer = Layer("aa", _pool.Plan("test", 1 << 20).Id, 10, Noon);
        Assert.False(await _layers.AddAsync(layer, Token));
        Assert.Empty(await _layers.ListAsync(Token));
    }

    [Fact]
    public async Task AddedAgain_LetsGoOfTheOldDisks()
    {
        await AddAsync("aa");
        var second = await AddAsync("aa");
        Assert.Equal([second.Spec.Disks[0].Volume], (await _pool.ListAsync(Token)).Select(one => one.Id));
        await _layers.RemoveAsync("aa", Token);
        Assert.Empty(Directory.GetFiles(_folders.Volumes));
    }

    [Fact]
    public async Task Removed_LeavesNothing_ButDisksOfOthers()
    {
        var kept = await AddAsync("aa");
        await AddAsync("bb");
        await _store.CommitAsync(new StateTransaction { Then = [_pool.Use(kept.Spec.Disks[0].Volume, "machine-100")] }, Token);
        await _layers.RemoveAsync("aa", Token);
        await _layers.RemoveAsync("bb", Token);
        await _layers.RemoveAsync("bb", Token);
        Assert.Empty(await _layers.ListAsync(Token));
        Assert.Empty(Directory.GetDirectories(_folders.Layers));
        Assert.Equal([kept.Spec.Disks[0].Volume], (await _pool.ListAsync(Token)).Select(one => one.Id));
    }

    [Fact]
    public async Task Evict_TakesTheLeastRecentlyUsed_ButNotTheKept()
    {
        await AddAsync("aa", 10, Noon);
        await AddAsync("bb", 10, Noon.AddHours(-1));
        await AddAsync("cc", 10, Noon.AddHours(-2));
        await AddAsync("dd", 10, Noon.AddHours(-3));
        Assert.Empty(await _layers.EvictAsync(40, new HashSet<string>(), Token));
        var removed = await _layers.EvictAsync(25, new HashSet<string> { "dd" }, Token);
        Assert.Equal(["cc", "bb"], removed.Select(one => one.Key));
        await _layers.TouchAsync("dd", Token);
        Assert.Equal(["aa"], (await _layers.EvictAsync(10, new HashSet<string>(), Token)).Select(one => one.Key));
    }

    [Fact]
    public async Task Sweep_TakesWhatDeadBuildsLeft_ButNotWhatALivingOneWrites()
    {
        await AddAsync("aa");
        var dead = await HeldVolumeAsync("bb");
        var live = await HeldVolumeAsync("cc");
        _layers.BeginFolder("bb");
        _layers.BeginFolder("cc");
        await File.WriteAllTextAsync(FileClaim.OfLayer(_folders, "aa"), "", Token);
        await File.WriteAllTextAsync(FileClaim.OfLayer(_folders, "bb"), "", Token);
        using (FileClaim.TryTake(FileClaim.OfLayer(_folders, "cc")))
        {
            await _layers.SweepAsync(Token);
            Assert.Equal(["aa", "cc"], Directory.GetDirectories(_folders.Layers).Select(Path.GetFileName).Order());
            Assert.Equal(["cc.lock"], Directory.GetFiles(_folders.Layers).Select(Path.GetFileName));
            Assert.Null(await _pool.FindAsync(dead, Token));
            Assert.NotNull(await _pool.FindAsync(live, Token));
        }

        await _layers.SweepAsync(Token);
        Assert.Equal(["aa"], Directory.GetFileSystemEntries(_folders.Layers).Select(Path.GetFileName));
        Assert.Null(await _pool.FindAsync(live, Token));
        Assert.NotNull(await _layers.FindAsync("aa", Token));
    }

    [Fact]
    public async Task MakeRoom_RemovesNothingWhereThereIsRoom_AndAllButTheKeptWhereThereNeverIs()
    {
        await AddAsync("aa", used: Noon);
        await AddAsync("bb", used: Noon.AddHours(-1));
        Assert.Empty(await _layers.MakeRoomAsync(1, new HashSet<string>(), Token));
        Assert.Equal(["bb"], (await _layers.MakeRoomAsync(long.MaxValue, new HashSet<string> { "aa" }, Token)).Select(one => one.Key));
    }

    /// <summary>A volume that only a layer holds which was never recorded.</summary>
    private async Task<VolumeId> HeldVolumeAsync(string key)
    {
        var volume = _pool.Plan("test", 1 << 20);
        _pool.CreateFile(volume);
        await _store.CommitAsync(new StateTransaction { Then = [.. _pool.Adopt(volume, LayerStore.UserOf(key))] }, Token);
        return volume.Id;
    }

    private async Task<LayerRecord> AddAsync(string key, long bytes = 10, DateTimeOffset? used = null)
    {
        var volume = _pool.Plan("test", 1 << 20);
        var user = LayerStore.UserOf(key);
        _pool.CreateFile(volume);
        await _store.CommitAsync(
            new StateTransaction { When = [.. _pool.AdoptConditions(volume)], Then = [.. _pool.Adopt(volume, user)] }, Token);
        _layers.BeginFolder(key);
        await File.WriteAllTextAsync(_layers.MemoryFile(key), "memory", Token);
        var layer = Layer(key, volume.Id, bytes, used ?? Noon);
        Assert.True(await _layers.AddAsync(layer, Token));
        return layer;
    }

    private static LayerRecord Layer(string key, VolumeId disk, long bytes, DateTimeOffset used) => new()
    {
        Key = key,
        Label = "installation",
        Build = "mini",
        Created = used,
        LastUsed = used,
        Spec = new MachineSpec { Name = "build", Isa = Isa.X86_64, Disks = [new DiskSpec { Volume = disk }] },
        Uuid = Guid.Empty,
        InstanceId = "i",
        HasMemory = true,
        Bytes = bytes,
        Random = new LayerSecrets { BuildId = "b" },
        Provenance = new Provenance(),
        Timestamp = used,
    };
}
