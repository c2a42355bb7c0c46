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
        using var gate = new SemaphoreSlim(AskedAtOnce);
        var machines = await node.Machines.ListAsync(cancellationToken);
        return [.. await Task.WhenAll(machines.Select(async machine =>
        {
            var runtime = node.Host.Runtime(machine.Number);
            if (runtime is null && !node.Host.IsAlive(machine.Number))
                return View(machine, null, MachinePhase.Stopped, TemplateOf(machine));
            await gate.WaitAsync(cancellationToken);
            try
            {
                return View(machine, runtime, await AskAsync(node, machine, cancellationToken), TemplateOf(machine));
            }
            finally
            {
                gate.Release();
            }
        }))];
    }

    /// <summary>One machine with all that is known of it.</summary>
    public static async Task<MachineView> OfAsync(
        GantryNode node, MachineRecord machine, CancellationToken cancellationToken)
    {
        var phase = await node.Host.PhaseAsync(machine, cancellationToken);
        var template = machine.Template is { } id
            ? (await node.Templates.FindByIdAsync(id, cancellationToken))?.Name : null;
        return View(machine, node.Host.Runtime(machine.Number), phase, template ?? TemplateOf(machine)) with
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

    private static async Task<MachinePhase> AskAsync(
        GantryNode node, MachineRecord machine, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(AskPatience, node.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await node.Host.PhaseAsync(machine, both.Token);
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

    private static string? TemplateOf(MachineRecord machine) =>
        machine.Provenance.Chain.LastOrDefault(link => link.Kind == "template")?.Name;

    private static MachineView View(MachineRecord machine, RuntimeRecord? runtime, MachinePhase phase, string? template) => new()
    {
        Number = machine.Number,
        Name = machine.Spec.Name,
        State = phase.ToString().ToLowerInvariant(),
        Isa = machine.Spec.Isa.Name(),
        Accelerator = runtime?.Accelerator.ToString().ToLowerInvariant(),
        AcceleratorReason = runtime?.AcceleratorReason,
        Started = runtime?.Started,
        MachineType = machine.Spec.MachineType,
        Cpus = machine.Spec.Cpu.Count,
        MemoryMiB = machine.Spec.MemoryMiB,
        Uuid = machine.Uuid,
        Role = machine.Role.ToString().ToLowerInvariant(),
        Template = template,
        Ports = (runtime?.Ports ?? machine.Spec.NetworkCards.SelectMany(card => card.Published)).Select(port => new PortView
        {
            Address = port.Address,
            HostPort = port.HostPort,
            GuestPort = port.GuestPort,
            Udp = port.Udp,
        }).ToValueList(),
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
}
