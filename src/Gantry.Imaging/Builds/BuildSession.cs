using System.Diagnostics;
using Gantry.Imaging.Answers;
using Gantry.Imaging.Cache;
using Gantry.Imaging.Definitions;
using Gantry.Imaging.Provisioners;
using Gantry.Machines.Create;
using Gantry.Machines.Guest;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;

namespace Gantry.Imaging.Builds;

/// <summary>One run of a build within one process: what its steps hand to each other.</summary>
internal sealed partial class BuildSession : IAsyncDisposable
{
    private readonly BuildServices _services;
    private readonly BuildDefinition _definition;
    private readonly BuildOptions _options;
    private readonly string _folder;
    private readonly long _start;
    private readonly List<PartTime> _parts = [];
    private readonly LayerKeeper _layers;

    private PreparedBuild? _prepared;
    private BuildRandoms? _randoms;
    private AnswerServer? _server;
    private MachineRecord? _record;
    private BuildMachine? _machine;
    private ProvisionContext? _provision;
    private LayerRecord? _layer;
    private Provenance _provenance = new();

    /// <summary>What timestamp() and uuidv4() read: this run's, or those of the chain that it goes on.</summary>
    private FrozenValues _frozen;

    /// <summary>The provisioners; with the values of the chain that is gone on from.</summary>
    private BuildDefinition _steps;

    /// <summary>When the first step that uses the network ran.</summary>
    private DateTimeOffset? _networkSince;

    /// <summary>The first provisioner that has to run; those before it are in the layer.</summary>
    private int _next;

    public BuildSession(BuildServices services, BuildDefinition definition, BuildOptions options, string id, IProgressSink view)
    {
        _services = services;
        _definition = definition;
        _steps = definition;
        _frozen = definition.Frozen;
        _options = options;
        Id = id;
        _folder = BuildFolders.Make(services.Folders, id);
        _start = services.Time.GetTimestamp();
        Log = new BuildLog(view, Path.Combine(_folder, BuildFolders.LogName), services.Time);
        Log.Secrets.Add(definition.Source.Communicator.Password);
        _layers = new LayerKeeper(services, Log);
    }

    public string Id { get; }

    public BuildLog Log { get; }

    /// <summary>A failure leaves the machine for a look.</summary>
    public bool KeepsMachine { get; private set; }

    private QemuSource Source => _definition.Source;

    private bool NeedsMachine => Source.Output.NeedsMachine;

    private PreparedBuild Prepared => _prepared ?? throw new UnreachableException("the build is not prepared");

    private BuildMachine Machine => _machine ?? throw new UnreachableException("the build's machine does not run");

    public BuildState InitialState()
    {
        var output = Source.Output;
        return new BuildState
        {
            BuildId = Id,
            Build = _definition.Name,
            MachineName = $"build-{Id}",
            Outputs = output.Iso is { } iso ? [iso.Output] : [],
            PartFolders = output.Directory is { } folder ? [PartFolder(folder)] : [],
        };
    }

    /// <summary>
    /// Runs one part: its time is kept, and what it fails of is explained while the machine can still be asked.
    /// </summary>
    public async Task RunPartAsync(string name, Func<BuildSession, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        var start = _services.Time.GetTimestamp();
        using var watched = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var fault = WatchFaultAsync(watched);
        try
        {
            await work(this, watched.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            KeepsMachine |= _options.OnError == OnError.Abort;
            throw;
        }
        catch (Exception e) when (e is ProblemException or OperationCanceledException)
        {
            await watched.CancelAsync().ConfigureAwait(false);
            // What stopped the machine is the reason of whatever failed because it stands still.
            var problem = await fault.ConfigureAwait(false) ?? e as ProblemException;
            if (problem is null)
                throw;
            throw await FailedAsync(problem, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await watched.CancelAsync().ConfigureAwait(false);
            await fault.ConfigureAwait(false);
        }

        _parts.Add(new PartTime(name, _services.Time.GetElapsedTime(start)));
    }

    public async Task PrepareAsync(BuildPreparer preparer, CancellationToken cancellationToken)
    {
        ClaimOutputs();
        CheckOutput();
        if (_options is { OnError: OnError.Ask, Ask: null })
            Log.Note("-on-error=ask: nobody can be asked here, since the input is no terminal; a failure is cleaned up");
        _prepared = await preparer.PrepareAsync(_definition, _folder, Log, cancellationToken).ConfigureAwait(false);
        _provenance = _prepared.Provenance;
        foreach (var step in BuildSteps.Of(_definition))
            Log.Note($"  {step}");
        if (!NeedsMachine)
            return;
        if (!_options.NoCache)
            (_layer, _next) = await _layers.FindAsync(_prepared, cancellationToken).ConfigureAwait(false);
        if (_layer is not null)
            TakeOver(_layer);
        await RequireRoomAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task CreateMachineAsync(CancellationToken cancellationToken)
    {
        if (!NeedsMachine)
            return;
        _randoms = _layer is null
            ? BuildRandoms.Create(_definition, _services.Entropy)
            : BuildRandoms.From(_layer, await _layers.PrivateKeyAsync(_layer, cancellationToken).ConfigureAwait(false), _services.Entropy);
        Log.Secrets.Add(_randoms.PrivateKey);
        if (Source.Answers.HasHttp)
        {
            _server = AnswerServer.Start(
                ServerOptions(_randoms.HttpPort), _services.Entropy, _services.Time, access => Log.Note(access.ToString()));
            _randoms.HttpPort = _server.Port;
        }

        var communicator = Source.Communicator;
        if (communicator.Kind == CommunicatorKind.Ssh && communicator.Host is null)
            _randoms.CommunicatorPort = ChoosePort();
        _record = await _services.Maker.CreateAsync(PlanOf(_layer), cancellationToken).ConfigureAwait(false);
    }

    public async Task InstallAsync(CancellationToken cancellationToken)
    {
        if (!NeedsMachine)
            return;
        if (_layer is not null)
        {
            await ResumeAsync(_layer, cancellationToken).ConfigureAwait(false);
            return;
        }

        await StartAsync(memoryFile: null, cancellationToken).ConfigureAwait(false);
        await Machine.BootAsync(cancellationToken).ConfigureAwait(false);
        if (Source.Communicator.Kind == CommunicatorKind.None)
            return;
        await FirstLoginAsync(cancellationToken).ConfigureAwait(false);
        AddLink("installation", Prepared.Keys[0].Key);
        await FreezeAsync(0, cancellationToken).ConfigureAwait(false);
    }

    public async Task ProvisionAsync(CancellationToken cancellationToken)
    {
        if (!NeedsMachine || Source.Communicator.Kind == CommunicatorKind.None)
            return;
        for (var i = _next; i < _steps.Provisioners.Count; i++)
        {
            var provisioner = _steps.Provisioners[i];
            await RunProvisionerAsync(provisioner, cancellationToken).ConfigureAwait(false);
            AddLink(provisioner.Label, Prepared.Keys[i + 1].Key);
            await FreezeAsync(i + 1, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task ShutDownAsync(CancellationToken cancellationToken)
    {
        if (!NeedsMachine)
            return;
        if (Source.Communicator.Kind == CommunicatorKind.Ssh)
        {
            await SealAsync(cancellationToken).ConfigureAwait(false);
            await GuestShutdown.RunAsync(Source, Provision(), Machine, _services.Host, Log, cancellationToken)
                .ConfigureAwait(false);
        }
        else
        {
            Log.Activity("Waiting for the machine to turn itself off");
            await GuestShutdown.WaitAsync(Source, Machine, Log, cancellationToken).ConfigureAwait(false);
        }

        await DisconnectAsync().ConfigureAwait(false);
    }

    /// <summary>Lets go of the guest, so that others can end it.</summary>
    public async Task DisconnectAsync()
    {
        if (_provision is not null)
            await _provision.DisposeAsync().ConfigureAwait(false);
        _provision = null;
        if (_machine is not null)
            await _machine.DisposeAsync().ConfigureAwait(false);
        _machine = null;
    }

    public async ValueTask DisposeAsync()
    {
        await DisconnectAsync().ConfigureAwait(false);
        if (_server is not null)
            await _server.DisposeAsync().ConfigureAwait(false);
        _claims.ForEach(claim => claim.Dispose());
        Log.Dispose();
    }

    /// <summary>Logs in; a machine that was installed by a kernel of its own is first started from its disk.</summary>
    private async Task FirstLoginAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Provision().ShellAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (GuestResetException)
        {
            Log.Note("The installer has restarted the machine, which now starts from its disk");
            await DisconnectAsync().ConfigureAwait(false);
            _record = await _services.Machines.UpdateAsync(
                _record!.Number, record => record with { Spec = WithoutKernel(record.Spec) }, cancellationToken)
                    .ConfigureAwait(false);
            await StartAsync(memoryFile: null, cancellationToken).ConfigureAwait(false);
            await Provision().ShellAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static MachineSpec WithoutKernel(MachineSpec spec) => spec with
    {
        Kernel = null,
        Boot = BootDevice.Disk,
        QemuSwitches = spec.QemuSwitches.Where(one => one.Name != BuildPreparer.EndAtReset.Name).ToValueList(),
    };

    /// <param name="port">The port that a layer's guest was told of; 0 for any.</param>
    private AnswerServerOptions ServerOptions(int port) => new()
    {
        Directory = Source.Answers.HttpDirectory,
        Content = Source.Answers.HttpContent.Select(file => KeyValuePair.Create(file.Path, file.Content)).ToValueList(),
        BindAddress = Source.Answers.HttpBindAddress,
        PortMin = port == 0 ? Source.Answers.HttpPortMin : port,
        PortMax = port == 0 ? Source.Answers.HttpPortMax : port,
    };

    private void AddLink(string label, string key) => _provenance = _provenance with
    {
        Chain = _provenance.Chain.With(new ProvenanceLink { Kind = "step", Name = label, Digest = key }),
    };

    private MachinePlan PlanOf(LayerRecord? layer)
    {
        var plan = layer is null ? Prepared.Plan : Prepared.Plan with
        {
            Spec = layer.Spec with { Disks = [] },
            Disks = layer.Spec.Disks.Select(disk => new DiskPlan { Backing = disk.Volume, Attachment = disk }).ToValueList(),
            Variables = layer.Variables,
            Uuid = layer.Uuid,
            InstanceId = layer.InstanceId,
        };
        var published = _randoms!.CommunicatorPort == 0
            ? new ValueList<PublishedPort>()
            : [new PublishedPort { HostPort = _randoms.CommunicatorPort, GuestPort = Source.Communicator.GuestPort }];
        return plan with
        {
            Spec = plan.Spec with
            {
                Name = $"build-{Id}",
                NetworkCards = plan.Spec.NetworkCards.Select((card, i) => card with { Published = i == 0 ? published : [] }).ToValueList(),
                CloudInit = plan.Spec.Cdroms.Any(cdrom => cdrom.Seed)
                    ? new CloudInit { User = Source.Communicator.User, SshKeys = _randoms.PublicKey is { } key ? [key] : [] } : null,
                Notes = $"build of {_definition.Name}",
                // What the template names lies in this build's own folder, whichever layer it goes on from.
                Cdroms = Prepared.Plan.Spec.Cdroms,
                Floppy = Prepared.Plan.Spec.Floppy,
                Kernel = layer is null && plan.Spec.Kernel is { } kernel
                    ? KernelCommandLine.Render(kernel, _randoms.BootFields(Source)) : null,
            },
        };
    }

    private async Task ResumeAsync(LayerRecord layer, CancellationToken cancellationToken)
    {
        Log.Note($"Going on from the cache: {layer.Label} ({layer.Created.LocalDateTime:yyyy-MM-dd HH:mm})");
        for (var i = 0; i < _next + 1; i++)
            AddLink(Prepared.Keys[i].Label, Prepared.Keys[i].Key);
        await _layers.RestoreTpmAsync(layer, _record!, cancellationToken).ConfigureAwait(false);
        if (layer.HasMemory && File.Exists(_services.Layers.MemoryFile(layer.Key)))
        {
            await StartAsync(_services.Layers.MemoryFile(layer.Key), cancellationToken).ConfigureAwait(false);
            await Machine.Guest.ResumeAsync(cancellationToken).ConfigureAwait(false);
            var shell = await Provision().ShellAsync(cancellationToken).ConfigureAwait(false);
            Log.Activity("Renewing the guest's clock and randomness");
            if (await GuestRenewal.RunAsync(
                shell, Source.Communicator.User, _record!.Spec.Isa, _services.Entropy, _services.Time, cancellationToken).ConfigureAwait(false))
                return;
            Log.Note("The guest's clock or randomness could not be renewed, so its disk is booted cold");
            await DisconnectAsync().ConfigureAwait(false);
            await _services.Host.StopAsync(_record!, cancellationToken).ConfigureAwait(false);
        }

        await StartAsync(memoryFile: null, cancellationToken).ConfigureAwait(false);
        await Provision().ShellAsync(cancellationToken).ConfigureAwait(false);
    }

    private ProvisionContext Provision() => _provision ??= new ProvisionContext(
        Machine.ConnectAsync, _randoms!.Variables(Source.Communicator), Source.Name, "qemu", Log, _services.Time);

    private async Task FreezeAsync(int index, CancellationToken cancellationToken)
    {
        var key = Prepared.Keys[index];
        if (key.UsesNetwork)
            _networkSince ??= _services.Time.GetUtcNow();
        if (_options.NoCache || !key.Cacheable)
            return;
        var keep = Prepared.Keys.Select(one => one.Key).ToHashSet();
        _record = await _layers.FreezeAsync(
            new LayerMoment
            {
                Prepared = Prepared,
                Index = index,
                Machine = _record!,
                Guest = Machine.Guest,
                Randoms = _randoms!,
                Frozen = _frozen,
                Build = _definition.Name,
                Provenance = _provenance,
                NetworkSince = _networkSince,
            },
            cancellationToken).ConfigureAwait(false);
        Machine.Machine = _record;
        await _services.Layers.EvictAsync(_options.CacheLimit, keep, cancellationToken).ConfigureAwait(false);
    }

    private async Task SealAsync(CancellationToken cancellationToken)
    {
        if (Source.Seal is false)
            return;
        Log.Activity("Sealing");
        var shell = await Provision().ShellAsync(cancellationToken).ConfigureAwait(false);
        var script = SealScript.For(_randoms!.PublicKey, Source.Communicator.User);
        var status = await RootShell.RunAsync(shell, Source.Communicator.User, script, Log.Output, cancellationToken)
            .ConfigureAwait(false);
        if (status.IsSuccess)
        {
            _sealed = true;
            return;
        }

        if (Source.Seal is true)
        {
            throw new ProblemException(
                ProblemKind.Failed, $"the guest could not be sealed: {status}",
                "sealing needs root: log in as root, or give the user sudo without a password; seal = false goes without");
        }

        Log.Note($"Not sealed ({status}): clones of this template will share its identity. seal = true makes this an error.");
    }

    private bool _sealed;
}
