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
    private GantryNode(DataFolders folders, IStateStore store, TimeProvider time, IEntropy entropy)
    {
        Folders = folders;
        Store = store;
        Time = time;
        Entropy = entropy;
    }

    public DataFolders Folders { get; }

    public IStateStore Store { get; }

    public TimeProvider Time { get; }

    public IEntropy Entropy { get; }

    private IJournalHome Journals => LazyInitializer.EnsureInitialized(
        ref field, () => new FileJournalHome(Folders.Jobs, Time));

    public JobRunner Jobs => LazyInitializer.EnsureInitialized(ref field, () => new JobRunner(Journals, Time));

    public VolumePool Volumes => LazyInitializer.EnsureInitialized(
        ref field, () => new VolumePool(Store, Folders, Time, Entropy));

    public QemuImg DiskTool => LazyInitializer.EnsureInitialized(ref field, () => new QemuImg());

    public MachineCatalog Machines => LazyInitializer.EnsureInitialized(ref field, () => new MachineCatalog(Store));

    public TemplateCatalog Templates => LazyInitializer.EnsureInitialized(ref field, () => new TemplateCatalog(Store));

    public QemuHost Qemu => LazyInitializer.EnsureInitialized(ref field, () => new QemuHost(Folders.Facts));

    public IMachineEngine Engine => LazyInitializer.EnsureInitialized(ref field, () => new QemuEngine(Time));

    public IMachineHardware Hardware => LazyInitializer.EnsureInitialized(ref field, () => new HostHardware(Qemu, Time));

    public DiskFreezer Freezer => LazyInitializer.EnsureInitialized(
        ref field, () => new DiskFreezer(Machines, Volumes, Merger));

    public MachineHost Host => LazyInitializer.EnsureInitialized(
        ref field, () => new MachineHost(Machines, Volumes, Freezer, Merger, Engine, Hardware, new MachineSeeds(Folders, Templates), Time));

    public MachineMaker Maker => LazyInitializer.EnsureInitialized(
        ref field, () => new MachineMaker(Store, Machines, Templates, Volumes, Hardware, DiskTool, Time, Entropy));

    public MachineLauncher Launcher => LazyInitializer.EnsureInitialized(
        ref field, () => new MachineLauncher(Machines, Maker, Host, Freezer, Volumes, Entropy));

    public ChainMerger Merger => LazyInitializer.EnsureInitialized(ref field, () => new ChainMerger(Volumes, DiskTool));

    public MachineTurns Turns => LazyInitializer.EnsureInitialized(ref field, () => new MachineTurns(Host));

    public SnapshotTaker Snapshots => LazyInitializer.EnsureInitialized(
        ref field, () => new SnapshotTaker(Machines, Volumes, Freezer, Host, Turns, Jobs, Time));

    public SnapshotDeleter SnapshotDeleter => LazyInitializer.EnsureInitialized(
        ref field, () => new SnapshotDeleter(Machines, Volumes, Merger, Host, Turns, Jobs));

    public SnapshotReverter Reverter => LazyInitializer.EnsureInitialized(
        ref field, () => new SnapshotReverter(Machines, Volumes, Freezer, Host, Turns, Login, Jobs, Time, Entropy));

    public MachineLogin Login => LazyInitializer.EnsureInitialized(
        ref field, () => new MachineLogin(Host, Templates, Folders, Time));

    public MachineRemover Remover => LazyInitializer.EnsureInitialized(
        ref field, () => new MachineRemover(Machines, Templates, Volumes, Host));

    public TemplateMaker TemplateMaker => LazyInitializer.EnsureInitialized(
        ref field, () => new TemplateMaker(Store, Machines, Templates, Volumes, DiskTool, Jobs, Time, Entropy));

    public ImageLibrary Images => LazyInitializer.EnsureInitialized(
        ref field, () => new ImageLibrary(Store, Volumes, DiskTool, Jobs, Time));

    public ImageImporter Importer => LazyInitializer.EnsureInitialized(ref field, NewImporter);

    public ImageExporter Exporter => LazyInitializer.EnsureInitialized(
        ref field, () => new ImageExporter(
            Machines, Templates, Volumes, DiskTool, Host, Freezer, Turns, Jobs, Time, Entropy));

    public ImageFetcher Fetcher => LazyInitializer.EnsureInitialized(
        ref field, () => new ImageFetcher(Folders.Downloads, ImageFetcher.CreateClient(), Time));

    public LayerStore Layers => LazyInitializer.EnsureInitialized(
        ref field, () => new LayerStore(Store, Folders, Volumes, Time));

    public BuildRunner Builder => LazyInitializer.EnsureInitialized(ref field, NewBuilder);

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

    private ImageImporter NewImporter() => new(new ImportServices
    {
        Volumes = Volumes,
        Images = DiskTool,
        Machines = Machines,
        Templates = Templates,
        TemplateMaker = TemplateMaker,
        Maker = Maker,
        Remover = Remover,
        Host = Host,
        Jobs = Jobs,
        Time = Time,
        Entropy = Entropy,
    });

    private BuildRunner NewBuilder() => new(
        new BuildServices
        {
            Folders = Folders,
            Store = Store,
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
            Fetcher = Fetcher,
            Jobs = Jobs,
            Time = Time,
            Entropy = Entropy,
        },
        Hardware,
        Qemu);

    /// <summary>Finishes or undoes what programs that died had begun.</summary>
    public async Task RepairAsync(CancellationToken cancellationToken)
    {
        var kinds = new JobKindRegistry(
            TemplateMaker.Kind, Images.Kind, Importer.Kind, Exporter.Kind, Builder.Kind, Snapshots.Kind,
            SnapshotDeleter.Kind,
            Reverter.Kind);
        var found = await new JobRecovery(Journals, kinds, Time).RecoverAsync(Steps.Jobs.NoProgress.Instance, cancellationToken)
            .ConfigureAwait(false);
        await Maker.RepairAsync(cancellationToken).ConfigureAwait(false);
        await Remover.SweepAsync(cancellationToken).ConfigureAwait(false);
        if (found.Any(job => job.Outcome != RecoveryOutcome.Live))
            await SweepAsync(cancellationToken).ConfigureAwait(false);
    }
}
