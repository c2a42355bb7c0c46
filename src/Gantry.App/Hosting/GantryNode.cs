using Gantry.Engines;
using Gantry.Engines.Qemu;
using Gantry.Imaging.Builds;
using Gantry.Imaging.Cache;
using Gantry.Imaging.Downloads;
using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Machines.Delete;
using Gantry.Machines.Guest;
using Gantry.Machines.Images;
using Gantry.Machines.Run;
using Gantry.Machines.Snapshots;
using Gantry.Machines.Templates;
using Gantry.Model;
using Gantry.Model.State;
using Gantry.Steps.Jobs;
using Gantry.Steps.Journals;
using Gantry.Steps.Recovery;
using Gantry.Storage;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;
using Gantry.Store.Sqlite;

namespace Gantry.App.Hosting;

/// <summary>
/// This host's services, put together: what a command works with, and what a daemon will host. Opening one opens the
/// store; everything else waits until it is used.
/// </summary>
internal sealed class GantryNode : IAsyncDisposable
{
    private readonly IJournalHome _journals;

    private GantryNode(DataFolders folders, IStateStore store, TimeProvider time, IEntropy entropy)
    {
        Folders = folders;
        Store = store;
        Time = time;
        Entropy = entropy;
        _journals = new FileJournalHome(folders.Jobs, time);
        Jobs = new JobRunner(_journals, time);
        Volumes = new VolumePool(store, folders, time, entropy);
        DiskTool = new QemuImg();
        Machines = new MachineCatalog(store);
        Templates = new TemplateCatalog(store);
        Qemu = new QemuHost(folders.Facts);
        Engine = new QemuEngine(time);
        Hardware = new HostHardware(Qemu, time);
        Merger = new ChainMerger(Volumes, DiskTool);
        Freezer = new DiskFreezer(Machines, Volumes, Merger);
        Host = new MachineHost(Machines, Volumes, Freezer, Merger, Engine, Hardware, new MachineSeeds(folders, Templates), time);
        Maker = new MachineMaker(store, Machines, Templates, Volumes, Hardware, DiskTool, time, entropy);
        Launcher = new MachineLauncher(Machines, Maker, Host, Freezer, Volumes, entropy);
        Login = new MachineLogin(Host, Templates, folders, time);
        Turns = new MachineTurns(Host);
        Snapshots = new SnapshotTaker(Machines, Volumes, Freezer, Host, Turns, Jobs, time);
        SnapshotDeleter = new SnapshotDeleter(Machines, Volumes, Merger, Host, Turns, Jobs);
        Reverter = new SnapshotReverter(Machines, Volumes, Freezer, Host, Turns, Login, Jobs, time, entropy);
        Remover = new MachineRemover(Machines, Templates, Volumes, Host);
        TemplateMaker = new TemplateMaker(store, Machines, Templates, Volumes, DiskTool, Jobs, time, entropy);
        Images = new ImageLibrary(store, Volumes, DiskTool, Jobs, time);
        Layers = new LayerStore(store, folders, Volumes, time);
        Builder = new BuildRunner(
            new BuildServices
            {
                Folders = folders,
                Store = store,
                Volumes = Volumes,
                DiskTool = DiskTool,
                Machines = Machines,
                Templates = Templates,
                Maker = Maker,
                Host = Host,
                Remover = Remover,
                Freezer = Freezer,
                TemplateMaker = TemplateMaker,
                Images = Images,
                Layers = Layers,
                Fetcher = new ImageFetcher(folders.Downloads, ImageFetcher.CreateClient(), time),
                Jobs = Jobs,
                Time = time,
                Entropy = entropy,
            },
            Hardware,
            Qemu);
    }

    public DataFolders Folders { get; }

    public IStateStore Store { get; }

    public TimeProvider Time { get; }

    public IEntropy Entropy { get; }

    public JobRunner Jobs { get; }

    public VolumePool Volumes { get; }

    public QemuImg DiskTool { get; }

    public MachineCatalog Machines { get; }

    public TemplateCatalog Templates { get; }

    public QemuHost Qemu { get; }

    public IMachineEngine Engine { get; }

    public IMachineHardware Hardware { get; }

    public DiskFreezer Freezer { get; }

    public MachineHost Host { get; }

    public MachineMaker Maker { get; }

    public MachineLauncher Launcher { get; }

    public ChainMerger Merger { get; }

    public MachineTurns Turns { get; }

    public SnapshotTaker Snapshots { get; }

    public SnapshotDeleter SnapshotDeleter { get; }

    public SnapshotReverter Reverter { get; }

    public MachineLogin Login { get; }

    public MachineRemover Remover { get; }

    public TemplateMaker TemplateMaker { get; }

    public ImageLibrary Images { get; }

    public LayerStore Layers { get; }

    public BuildRunner Builder { get; }

    /// <summary>Opens the node of this user and puts right what a crash left.</summary>
    /// <param name="folders">Where it keeps its things; made when they are not there.</param>
    /// <param name="time">The clock.</param>
    /// <param name="entropy">For ids, addresses and names.</param>
    /// <param name="repair">Look for what a crash left; commands that only read go without.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task<GantryNode> OpenAsync(
        DataFolders folders, TimeProvider time, IEntropy entropy, bool repair, CancellationToken cancellationToken)
    {
        folders.Create();
        var store = await SqliteStateStore.OpenAsync(folders.StateFile, null, cancellationToken).ConfigureAwait(false);
        var node = new GantryNode(folders, store, time, entropy);
        if (repair)
            await node.RepairAsync(cancellationToken).ConfigureAwait(false);
        return node;
    }

    public ValueTask DisposeAsync() => Store.DisposeAsync();

    /// <summary>
    /// Takes away files and records that belong to nothing any more. Looks at every one of them, so only commands that
    /// make such things call it, and a repair that found a dead job.
    /// </summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        await Layers.SweepAsync(cancellationToken).ConfigureAwait(false);
        await Volumes.SweepAsync(cancellationToken).ConfigureAwait(false);
        Builder.SweepClaims();
    }

    private async Task RepairAsync(CancellationToken cancellationToken)
    {
        var kinds = new JobKindRegistry(
            TemplateMaker.Kind, Images.Kind, Builder.Kind, Snapshots.Kind, SnapshotDeleter.Kind, Reverter.Kind);
        var found = await new JobRecovery(_journals, kinds, Time).RecoverAsync(Steps.Jobs.NoProgress.Instance, cancellationToken)
            .ConfigureAwait(false);
        await Maker.RepairAsync(cancellationToken).ConfigureAwait(false);
        await Remover.SweepAsync(cancellationToken).ConfigureAwait(false);
        if (found.Any(job => job.Outcome != RecoveryOutcome.Live))
            await SweepAsync(cancellationToken).ConfigureAwait(false);
    }
}
