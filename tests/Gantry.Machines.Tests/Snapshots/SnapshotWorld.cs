using Gantry.Engines.Fake;
using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Machines.Delete;
using Gantry.Machines.Guest;
using Gantry.Machines.Run;
using Gantry.Machines.Snapshots;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.State;
using Gantry.Model.Volumes;
using Gantry.Steps.Jobs;
using Gantry.Steps.Journals;
using Gantry.Storage;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Tests.Snapshots;

/// <summary>
/// One machine with two disks and UEFI variables over a template's volumes, on a host with a fake engine. What only
/// changes the content of files (qemu-img) does nothing.
/// </summary>
internal sealed class SnapshotWorld : IAsyncDisposable
{
    private const string TemplateUser = "template-base";

    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-snapshots-").FullName;
    private readonly QemuImg _images = new("/bin/true");
    private readonly MachineMaker _maker;
    private readonly TemplateCatalog _templates;

    private SnapshotWorld()
    {
        Folders = new DataFolders(Path.Combine(_folder, "home"), Path.Combine(_folder, "run"));
        Folders.Create();
        Volumes = new VolumePool(Store, Folders, TimeProvider.System, SystemEntropy.Instance);
        Catalog = new MachineCatalog(Store);
        _templates = new TemplateCatalog(Store);
        Merger = new ChainMerger(Volumes, _images);
        Freezer = new DiskFreezer(Catalog, Volumes, Merger);
        var hardware = new FakeHardware();
        Host = new MachineHost(
            Catalog, Volumes, Freezer, Merger, Engine, hardware, new MachineSeeds(Folders, _templates), TimeProvider.System);
        _maker = new MachineMaker(
            Store, Catalog, _templates, Volumes, hardware, _images, TimeProvider.System, SystemEntropy.Instance);
        Remover = new MachineRemover(Catalog, _templates, Volumes, Host);
    }

    public InMemoryStateStore Store { get; } = new();

    public FakeEngine Engine { get; } = new();

    public DataFolders Folders { get; }

    public VolumePool Volumes { get; }

    public MachineCatalog Catalog { get; }

    public ChainMerger Merger { get; }

    public DiskFreezer Freezer { get; }

    public MachineHost Host { get; }

    public MachineRemover Remover { get; }

    public MachineNumber Number { get; private set; }

    public JobRunner Jobs { get; } = new(new MemoryJournalHome(), TimeProvider.System);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<SnapshotWorld> MakeAsync(bool running = false)
    {
        var world = new SnapshotWorld();
        world.Number = (await world.AddAsync("web")).Number;
        if (running)
            await world.StartAsync();
        return world;
    }

    public async Task<MachineRecord> AddAsync(string name)
    {
        var disks = new List<DiskPlan>();
        for (var i = 0; i < 2; i++)
            disks.Add(new DiskPlan { Backing = await BaseAsync($"disk {i} of a template") });
        return await _maker.CreateAsync(
            new MachinePlan
            {
                Spec = new MachineSpec { Name = name, Isa = Isa.X86_64, Firmware = new FirmwareSpec { Kind = FirmwareKind.Uefi } },
                Disks = [.. disks],
                Variables = await BaseAsync("variables of a template"),
            },
            Token);
    }

    /// <summary>New services, as another process of the program has them.</summary>
    public SnapshotTaker Taker() => new(Catalog, Volumes, Freezer, Host, new MachineTurns(Host), Jobs, TimeProvider.System);

    public SnapshotDeleter Deleter() => new(Catalog, Volumes, Merger, Host, new MachineTurns(Host), Jobs);

    public SnapshotReverter Reverter() => new(
        Catalog, Volumes, Freezer, Host, new MachineTurns(Host), new MachineLogin(Host, _templates, Folders, TimeProvider.System), Jobs,
        TimeProvider.System, SystemEntropy.Instance);

    public async Task<FakeMachine> StartAsync()
    {
        await using var guest = await Host.StartAsync(Number, new StartOptions(), Model.NoProgress.Instance, Token);
        return Running!;
    }

    public FakeMachine? Running => Engine.Machines.GetValueOrDefault(Folders.MachineRun(Number));

    public Task<SnapshotRecord> TakeAsync(string name, bool memory = false) =>
        Taker().TakeAsync(Number, new SnapshotRequest { Name = name, Memory = memory }, Model.NoProgress.Instance, Token);

    public async Task<MachineRecord> MachineAsync() => await Catalog.GetAsync(Number.ToString(), Token);

    public async Task<int> LongestChainAsync()
    {
        var longest = 0;
        foreach (var top in MachineVolumes.Tops(await MachineAsync()))
            longest = Math.Max(longest, (await Volumes.ChainAsync(top, Token)).Length);
        return longest;
    }

    public string SnapshotFolder(string name) => SnapshotFiles.Folder(Folders, Number, name);

    /// <summary>
    /// Each volume is somebody's, its users are exactly those that the records name, each has its file, and no other
    /// file is there.
    /// </summary>
    public async Task AssertConsistentAsync()
    {
        var expected = new SortedSet<string>(StringComparer.Ordinal);
        var machine = await Catalog.FindAsync(Number, Token);
        if (machine is not null)
        {
            Assert.Empty(machine.PendingTops);
            foreach (var top in MachineVolumes.Tops(machine))
                expected.Add($"{top} {MachineUsers.Of(Number)}");
            foreach (var snapshot in machine.Snapshots)
            {
                foreach (var volume in MachineVolumes.Of(snapshot))
                    expected.Add($"{volume} {MachineUsers.Of(Number, snapshot.Name)}");
            }
        }

        var records = await Volumes.ListAsync(Token);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var record in records)
        {
            if (record.Backing is { } backing)
                expected.Add($"{backing} volume-{record.Id}");
            foreach (var user in (await Volumes.UsersAsync(record.Id, Token)).Where(user => user != TemplateUser))
                found.Add($"{record.Id} {user}");
        }

        Assert.Equal(expected, found);
        Assert.Equal(
            records.Select(Volumes.PathOf).Order(StringComparer.Ordinal),
            Directory.GetFiles(Folders.Volumes).Order(StringComparer.Ordinal));
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<VolumeId> BaseAsync(string purpose)
    {
        var volume = Volumes.Plan(purpose, 1 << 20) with { Frozen = true };
        await Store.CommitAsync(new StateTransaction { Then = [.. Volumes.Adopt(volume, TemplateUser)] }, Token);
        Volumes.CreateFile(volume);
        return volume.Id;
    }
}
