using Gantry.App.Hosting;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage.Volumes;

namespace Gantry.App.Commands;

/// <summary>Looks at machines, for the commands that show them.</summary>
internal static class MachineViews
{
    /// <summary>How many machines are asked at a time how they are.</summary>
    private const int AskedAtOnce = 16;

    /// <summary>A list must not hang on one machine whose monitors are busy.</summary>
    private static readonly TimeSpan AskPatience = TimeSpan.FromSeconds(2);

    /// <summary>All machines by number, without their disks.</summary>
    public static async Task<List<MachineView>> AllAsync(GantryNode node, CancellationToken cancellationToken)
    {
        var machines = await node.Machines.ListAsync(cancellationToken);
        var states = await StatesAsync(node, machines.Select(one => (one.Number, one.Uuid)), cancellationToken);
        return [.. machines.Zip(states, (machine, state) =>
            View(machine, state.Runtime, state.Phase, machine.Provenance.Template))];
    }

    /// <summary>As <see cref="AllAsync"/>, but only what a table shows, which takes a third of the time.</summary>
    public static async Task<List<MachineLine>> LinesAsync(GantryNode node, CancellationToken cancellationToken)
    {
        var machines = await node.Machines.OutlinesAsync(cancellationToken);
        var states = await StatesAsync(node, machines.Select(one => (one.Number, one.Uuid)), cancellationToken);
        return [.. machines.Zip(states, (machine, state) => new MachineLine
        {
            Outline = machine,
            State = Word(state.Phase),
            Accelerator = Word(state.Runtime),
            Ports = Ports(state.Runtime?.Ports ?? machine.Ports),
        })];
    }

    /// <summary>One machine with all that is known of it.</summary>
    public static async Task<MachineView> OfAsync(
        GantryNode node, MachineRecord machine, CancellationToken cancellationToken)
    {
        var phase = await node.Host.PhaseAsync(machine, cancellationToken);
        var template = machine.Template is { } id
            ? (await node.Templates.FindByIdAsync(id, cancellationToken))?.Name : null;
        return View(machine, node.Host.Runtime(machine.Number), phase, template ?? machine.Provenance.Template) with
        {
            Pid = await PidAsync(node, machine, cancellationToken),
            Disks = await DisksAsync(node, machine, cancellationToken),
        };
    }

    public static ValueList<SnapshotView> Snapshots(MachineRecord machine) =>
        machine.Snapshots.Select(snapshot => new SnapshotView
        {
            Name = snapshot.Name,
            Created = snapshot.Created,
            Memory = snapshot.MemoryFile is not null,
            Parent = snapshot.Parent,
            Current = snapshot.Name == machine.CurrentSnapshot,
            Notes = snapshot.Notes,
        }).ToValueList();

    private static async Task<State[]> StatesAsync(
        GantryNode node, IEnumerable<(MachineNumber Number, Guid Uuid)> machines, CancellationToken cancellationToken)
    {
        using var gate = new SemaphoreSlim(AskedAtOnce);
        var candidates = node.Host.WithRunFolders();
        return await Task.WhenAll(machines.Select(machine =>
            candidates.Contains(machine.Number) && node.Host.IsAlive(machine.Number)
            ? LiveStateAsync(node, machine.Number, machine.Uuid, gate, cancellationToken)
            : Task.FromResult(new State(null, MachinePhase.Stopped))));
    }

    private static async Task<State> LiveStateAsync(
        GantryNode node, MachineNumber number, Guid uuid, SemaphoreSlim gate, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            return new State(node.Host.Runtime(number), await AskAsync(node, number, uuid, cancellationToken));
        }
        finally
        {
            gate.Release();
        }
    }

    private static async Task<MachinePhase> AskAsync(
        GantryNode node, MachineNumber number, Guid uuid, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(AskPatience, node.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await node.Host.PhaseAsync(number, uuid, both.Token);
        }
        catch (Exception e) when (e is ProblemException or OperationCanceledException)
        {
            // It lives, and somebody else is talking to it.
            cancellationToken.ThrowIfCancellationRequested();
            return MachinePhase.Running;
        }
    }

    private static async Task<int?> PidAsync(
        GantryNode node, MachineRecord machine, CancellationToken cancellationToken)
    {
        await using var guest = await node.Host.FindAsync(machine, cancellationToken);
        return guest?.Pid;
    }

    private static string Word(MachinePhase phase) => phase.ToString().ToLowerInvariant();

    private static string? Word(RuntimeRecord? runtime) => runtime?.Accelerator.ToString().ToLowerInvariant();

    private static ValueList<PortView> Ports(IEnumerable<PublishedPort> ports) => ports.Select(port => new PortView
    {
        Address = port.Address,
        HostPort = port.HostPort,
        GuestPort = port.GuestPort,
        Udp = port.Udp,
    }).ToValueList();

    private static MachineView View(MachineRecord machine, RuntimeRecord? runtime, MachinePhase phase, string? template) => new()
    {
        Number = machine.Number,
        Name = machine.Spec.Name,
        State = Word(phase),
        Isa = machine.Spec.Isa.Name(),
        Accelerator = Word(runtime),
        AcceleratorReason = runtime?.AcceleratorReason,
        Started = runtime?.Started,
        MachineType = machine.Spec.MachineType,
        Cpus = machine.Spec.Cpu.Count,
        MemoryMiB = machine.Spec.MemoryMiB,
        Uuid = machine.Uuid,
        Role = machine.Role.ToString().ToLowerInvariant(),
        Template = template,
        Ports = Ports(runtime?.Ports ?? machine.Spec.NetworkCards.SelectMany(card => card.Published)),
        Protected = machine.Spec.Protected,
        Notes = machine.Spec.Notes,
        Tags = machine.Spec.Tags,
        Snapshots = Snapshots(machine),
        Chain = machine.Provenance.Chain,
        Disks = [],
    };

    private static async Task<ValueList<DiskView>> DisksAsync(
        GantryNode node, MachineRecord machine, CancellationToken cancellationToken)
    {
        var disks = new List<DiskView>();
        foreach (var disk in machine.Spec.Disks)
        {
            var layers = new List<DiskLayerView>();
            var chain = await node.Volumes.ChainAsync(disk.Volume, cancellationToken);
            foreach (var file in chain)
            {
                layers.Add(new DiskLayerView
                {
                    Volume = file.Id.Value,
                    Path = file.Path,
                    Bytes = FileSpace.AllocatedBytes(file.Path),
                    Purpose = (await node.Volumes.GetAsync(file.Id, cancellationToken)).Purpose,
                });
            }

            disks.Add(new DiskView { SizeBytes = chain[0].VirtualSize, Layers = [.. layers] });
        }

        return [.. disks];
    }

    private readonly record struct State(RuntimeRecord? Runtime, MachinePhase Phase);
}
