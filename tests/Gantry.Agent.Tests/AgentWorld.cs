using Gantry.Engines.Fake;
using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Machines.Delete;
using Gantry.Machines.Guest;
using Gantry.Machines.Run;
using Gantry.Machines.Snapshots;
using Gantry.Machines.Tests.Snapshots;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;
using Gantry.Storage;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gantry.Agent.Tests;

/// <summary>A node's agent over a fake engine, with one machine, and a director that does as the test says.</summary>
internal sealed class AgentWorld : IAsyncDisposable
{
    public const string Node = "sirius";

    /// <summary>Another one is another boot of the host.</summary>
    public Guid Boot { get; set; } = new(1, 0, 0, new byte[8]);

    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-agent-").FullName;
    private readonly DataFolders _folders;
    private readonly MachineMaker _maker;
    private CancellationTokenSource? _stop;
    private Task _agent = Task.CompletedTask;
    private long _sequence;
    private long _epoch;

    private AgentWorld()
    {
        _folders = new DataFolders(Path.Combine(_folder, "home"), Path.Combine(_folder, "run"));
        _folders.Create();
        var volumes = new VolumePool(Store, _folders, TimeProvider.System, SystemEntropy.Instance);
        Catalog = new MachineCatalog(Store);
        var templates = new TemplateCatalog(Store);
        var images = new QemuImg("/bin/true");
        var merger = new ChainMerger(volumes, images);
        var freezer = new DiskFreezer(Catalog, volumes, merger);
        var hardware = new FakeHardware();
        Host = new MachineHost(
            Catalog, volumes, freezer, merger, Engine, hardware, new MachineSeeds(_folders, templates), TimeProvider.System);
        _maker = new MachineMaker(
            Store, Catalog, templates, volumes, hardware, images, TimeProvider.System, SystemEntropy.Instance);
        Remover = new MachineRemover(Catalog, templates, volumes, Host);
        Service = new NodeService(
            Host, Catalog, new MachineLogin(Host, templates, _folders, TimeProvider.System), TimeProvider.System);
    }

    public InMemoryStateStore Store { get; } = new();

    public FakeEngine Engine { get; } = new();

    public MachineCatalog Catalog { get; }

    public MachineHost Host { get; }

    public MachineRemover Remover { get; }

    public NodeService Service { get; }

    public MachineRecord Machine { get; private set; } = null!;

    public FakeMachine? Running => Engine.Machines.GetValueOrDefault(_folders.MachineRun(Machine.Number));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<AgentWorld> MakeAsync(RestartSpec? restart = null)
    {
        var world = new AgentWorld();
        world.Machine = await world._maker.CreateAsync(
            new MachinePlan { Spec = new MachineSpec { Name = "web", Isa = Isa.X86_64, Restart = restart ?? new RestartSpec() } },
            Token);
        world.StartAgent();
        return world;
    }

    /// <summary>A second machine, which belongs to a build.</summary>
    public Task<MachineRecord> MakeBuildMachineAsync() => _maker.CreateAsync(
        new MachinePlan { Spec = new MachineSpec { Name = "build", Isa = Isa.X86_64 }, Role = MachineRole.Build }, Token);

    public void StartAgent()
    {
        _stop = new CancellationTokenSource();
        _agent = new MachineAgent(
            new AgentNode(Node, Boot), Host, Catalog, Store, TimeProvider.System, NullLogger.Instance, (_, _) => Task.CompletedTask).RunAsync(_stop.Token);
    }

    /// <summary>As when its process ends: what it had begun stays as it is.</summary>
    public async Task StopAgentAsync()
    {
        await _stop!.CancelAsync();
        await _agent;
        _stop.Dispose();
    }

    /// <summary>Assigns a new intent, at the next epoch.</summary>
    public async Task<long> AssignAsync(
        PowerState wanted, StopManner manner = StopManner.Shutdown, bool anew = false, int patience = 30)
    {
        var assignment = new MachineAssignment
        {
            Number = Machine.Number,
            Machine = Machine.Uuid,
            Node = Node,
            Epoch = ++_epoch,
            Intent = new PowerIntent
            {
                Sequence = ++_sequence,
                Machine = Machine.Uuid,
                Wanted = wanted,
                Manner = manner,
                Anew = anew,
                PatienceSeconds = patience,
                By = "test",
                At = DateTimeOffset.UnixEpoch,
            },
        };
        await Store.CommitAsync(
            new StateTransaction
            {
                Then = [RunningRecords.Assignments(Store).Put(RunningRecords.Id(Machine.Number), assignment)],
            },
            Token);
        return _sequence;
    }

    /// <summary>The first status from now on that is as a test wants it.</summary>
    public async Task<MachineStatus> WaitAsync(Func<MachineStatus, bool> until)
    {
        var last = (MachineStatus?)null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        try
        {
            await foreach (var news in RunningRecords.Statuses(Store).FollowAsync(limit.Token))
            {
                last = news.All.GetValueOrDefault(RunningRecords.Id(Machine.Number))?.Value;
                if (last is not null && until(last))
                    return last;
            }
        }
        catch (OperationCanceledException) when (!Token.IsCancellationRequested)
        {
        }

        throw new TimeoutException($"the status stays {last}");
    }

    public Task<MachineStatus> SettledAsync(long sequence) => WaitAsync(status => status.Settled == sequence);

    public async ValueTask DisposeAsync()
    {
        await Service.DisposeAsync();
        await StopAgentAsync();
        await Store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
