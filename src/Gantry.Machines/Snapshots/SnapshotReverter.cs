using Gantry.Engines;
using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Machines.Guest;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.State;
using Gantry.Model.Volumes;
using Gantry.Steps.Jobs;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Snapshots;

/// <summary>How to go back to a snapshot.</summary>
public sealed record RollbackOptions
{
    /// <summary>Use the disks only, though the snapshot has memory.</summary>
    public bool WithoutMemory { get; init; }

    /// <summary>
    /// Go on from memory also where the guest's clock and random numbers can't be renewed; otherwise its disks are then
    /// booted cold.
    /// </summary>
    public bool Unrenewed { get; init; }
}

/// <summary>
/// Makes a machine what it was when a snapshot was taken: disks, UEFI variables, TPM and hardware. Its name, notes,
/// tags, protection, cloud-init settings and published ports stay as they are now.
/// </summary>
public sealed class SnapshotReverter
{
    /// <summary>A guest that was loaded from memory is up at once; one without a network never answers.</summary>
    private static readonly TimeSpan LoginPatience = TimeSpan.FromSeconds(30);

    private readonly MachineCatalog _catalog;
    private readonly VolumePool _volumes;
    private readonly DiskFreezer _freezer;
    private readonly MachineHost _host;
    private readonly MachineTurns _turns;
    private readonly MachineLogin _login;
    private readonly JobRunner _jobs;
    private readonly TimeProvider _time;
    private readonly IEntropy _entropy;

    public SnapshotReverter(
        MachineCatalog catalog,
        VolumePool volumes,
        DiskFreezer freezer,
        MachineHost host,
        MachineTurns turns,
        MachineLogin login,
        JobRunner jobs,
        TimeProvider time,
        IEntropy entropy)
    {
        _catalog = catalog;
        _volumes = volumes;
        _freezer = freezer;
        _host = host;
        _turns = turns;
        _login = login;
        _jobs = jobs;
        _time = time;
        _entropy = entropy;
        Kind = new JobKind<SnapshotRollback>(
            "rollback",
            version: 1,
            () => SnapshotJson.Default.SnapshotRollback,
            CrashPolicy.Undo,
            [
                turns.Step<SnapshotRollback>("volumes", MakeVolumesAsync, DropVolumesAsync),
                turns.Step<SnapshotRollback>("stop", StopAsync),
                turns.Step<SnapshotRollback>("switch", SwitchAsync, SwitchBackAsync),
                turns.Step<SnapshotRollback>("files", RestoreFilesAsync),
                turns.Step<SnapshotRollback>("collect", CollectAsync),
            ],
            pointOfNoReturn: "switch");
    }

    /// <summary>For the registry of what can be repaired after a crash.</summary>
    public JobKind<SnapshotRollback> Kind { get; }

    /// <summary>
    /// Goes back. A snapshot with memory runs on from that moment; without, the machine is started again if it ran.
    /// What it has done since is lost.
    /// </summary>
    /// <exception cref="ProblemException">There is no such snapshot, or its memory can't be loaded here.</exception>
    public Task RollBackAsync(
        MachineNumber number, string name, RollbackOptions options, IProgressSink progress, CancellationToken cancellationToken) =>
        _turns.RunAsync(
            number,
            async () =>
            {
                var machine = await _catalog.GetAsync(number.ToString(), cancellationToken).ConfigureAwait(false);
                var snapshot = machine.Snapshot(name);
                var memory = options.WithoutMemory ? null : MemoryOf(machine, snapshot);
                var ran = _host.IsAlive(number);
                await _host.CheckAsync(machine, snapshot.Accelerator, cancellationToken).ConfigureAwait(false);
                progress.Activity($"Going back to {name}");
                await _jobs.RunUnwrappedAsync(
                    Kind, await PlanAsync(number, name, cancellationToken).ConfigureAwait(false), progress, cancellationToken).ConfigureAwait(false);
                if (memory is not null)
                    await GoOnAsync(number, snapshot, memory, options, progress, cancellationToken)
                        .ConfigureAwait(false);
                else if (ran)
                    await StartAsync(number, progress, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken);

    /// <summary>What the job begins with, for a machine whose lock the caller holds.</summary>
    internal async Task<SnapshotRollback> PlanAsync(
        MachineNumber number, string name, CancellationToken cancellationToken)
    {
        var machine = await _catalog.GetAsync(number.ToString(), cancellationToken).ConfigureAwait(false);
        await using (var guest = await _host.FindAsync(machine, cancellationToken).ConfigureAwait(false))
            machine = await _freezer.RepairAsync(machine, guest, cancellationToken).ConfigureAwait(false);
        var snapshot = machine.Snapshot(name);
        var tops = new List<VolumeRecord>();
        foreach (var volume in MachineVolumes.Of(snapshot))
        {
            var beneath = await _volumes.GetAsync(volume, cancellationToken).ConfigureAwait(false);
            tops.Add(_volumes.Plan(beneath.Purpose, beneath.VirtualSize, volume));
        }

        return new SnapshotRollback
        {
            Machine = number,
            Snapshot = name,
            Before = machine.Spec,
            VariablesBefore = machine.Variables,
            CurrentBefore = machine.CurrentSnapshot,
            Tops = [.. tops],
        };
    }

    private string? MemoryOf(MachineRecord machine, SnapshotRecord snapshot)
    {
        if (snapshot.MemoryFile is null)
            return null;
        var file = SnapshotFiles.MemoryFile(_volumes.Folders, machine.Number, snapshot.Name);
        return File.Exists(file)
            ? file
            : throw new ProblemException(
                ProblemKind.NotFound, $"the memory of snapshot {snapshot.Name} is gone: {file}",
                $"go back to its disks only: gantry rollback --without-memory {machine.Spec.Name} {snapshot.Name}");
    }

    private async Task MakeVolumesAsync(SnapshotRollback rollback, CancellationToken cancellationToken)
    {
        var own = MachineUsers.Of(rollback.Machine);
        await _volumes.AdoptAllAsync(rollback.Tops, own, cancellationToken).ConfigureAwait(false);
        foreach (var top in rollback.Tops)
            _volumes.CreateFile(top);
    }

    private async Task DropVolumesAsync(SnapshotRollback rollback, CancellationToken cancellationToken)
    {
        foreach (var top in rollback.Tops)
            await _volumes.ReleaseAsync(top.Id, MachineUsers.Of(rollback.Machine), cancellationToken)
                .ConfigureAwait(false);
    }

    private async Task StopAsync(SnapshotRollback rollback, CancellationToken cancellationToken)
    {
        if (await _catalog.FindAsync(rollback.Machine, cancellationToken).ConfigureAwait(false) is { } machine)
            await _host.StopAsync(machine, cancellationToken).ConfigureAwait(false);
    }

    private async Task SwitchAsync(SnapshotRollback rollback, CancellationToken cancellationToken)
    {
        var own = MachineUsers.Of(rollback.Machine);
        var tops = rollback.Tops.Select(top => top.Id).ToList();
        await _catalog.UpdateAsync(
            rollback.Machine,
            machine =>
            {
                var snapshot = machine.Snapshot(rollback.Snapshot);
                return machine with
                {
                    Spec = Restored(machine.Spec, MachineVolumes.WithDisks(snapshot.Spec, tops)),
                    Variables = snapshot.Variables is null ? null : tops[^1],
                    CurrentSnapshot = rollback.Snapshot,
                };
            },
            cancellationToken,
            (_, _) => Before(rollback).Select(volume => _volumes.Unuse(volume, own))).ConfigureAwait(false);
    }

    private async Task SwitchBackAsync(SnapshotRollback rollback, CancellationToken cancellationToken)
    {
        if (await _catalog.FindAsync(rollback.Machine, cancellationToken).ConfigureAwait(false) is not { } found
            || MachineVolumes.Tops(found).Equals(Before(rollback)))
        {
            return;
        }

        var own = MachineUsers.Of(rollback.Machine);
        await _catalog.UpdateAsync(
            rollback.Machine,
            machine => machine with
            {
                Spec = rollback.Before,
                Variables = rollback.VariablesBefore,
                CurrentSnapshot = rollback.CurrentBefore,
            },
            cancellationToken,
            (_, _) => Before(rollback).Select(volume => _volumes.Use(volume, own))).ConfigureAwait(false);
    }

    private Task RestoreFilesAsync(SnapshotRollback rollback, CancellationToken cancellationToken)
    {
        SnapshotFiles.Restore(_volumes.Folders, rollback.Machine, rollback.Snapshot);
        return Task.CompletedTask;
    }

    private async Task CollectAsync(SnapshotRollback rollback, CancellationToken cancellationToken)
    {
        foreach (var volume in Before(rollback))
            await _volumes.CollectAsync(volume, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The hardware of then, with what a user says of the machine as a whole as it is now.</summary>
    private static MachineSpec Restored(MachineSpec now, MachineSpec then) => then with
    {
        Name = now.Name,
        Notes = now.Notes,
        Tags = now.Tags,
        Protected = now.Protected,
        CloudInit = now.CloudInit,
        NetworkCards = then.NetworkCards.Select((card, i) => i < now.NetworkCards.Count
            ? card with { Published = now.NetworkCards[i].Published } : card).ToValueList(),
    };

    private static ValueList<VolumeId> Before(SnapshotRollback rollback) =>
        MachineVolumes.Of(rollback.Before, rollback.VariablesBefore);

    private async Task StartAsync(MachineNumber number, IProgressSink progress, CancellationToken cancellationToken)
    {
        await using var guest = await _host.StartLockedAsync(number, new StartOptions(), progress, cancellationToken)
            .ConfigureAwait(false);
    }

    private async Task GoOnAsync(
        MachineNumber number, SnapshotRecord snapshot, string memory, RollbackOptions options, IProgressSink progress, CancellationToken cancellationToken)
    {
        var start = new StartOptions { MemoryFile = memory, Accelerator = snapshot.Accelerator?.ToString().ToLowerInvariant() };
        try
        {
            await using var guest = await _host.StartLockedAsync(number, start, progress, cancellationToken)
                .ConfigureAwait(false);
            await guest.ResumeAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ProblemException e) when (e.Problem.Remedy.Length == 0)
        {
            throw new ProblemException(
                e.Problem with { Remedy = "the disks are those of the snapshot; to boot them: gantry start" }, e);
        }

        var machine = await _catalog.GetAsync(number.ToString(), cancellationToken).ConfigureAwait(false);
        if (await RenewAsync(machine, progress, cancellationToken).ConfigureAwait(false) is not { } trouble)
            return;
        if (options.Unrenewed)
        {
            progress.Note($"The guest's clock and random numbers are those of the snapshot: {trouble}");
            return;
        }

        progress.Note($"The guest's clock and random numbers could not be renewed ({trouble}), so its disks are booted cold");
        await _host.StopAsync(machine, cancellationToken).ConfigureAwait(false);
        await StartAsync(number, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Null when the guest was renewed; otherwise why not.</summary>
    private async Task<string?> RenewAsync(
        MachineRecord machine, IProgressSink progress, CancellationToken cancellationToken)
    {
        progress.Activity("Renewing the guest's clock and randomness");
        try
        {
            if (await RenewByAgentAsync(machine, cancellationToken).ConfigureAwait(false))
                return null;
            var target = await _login.TargetAsync(machine, user: null, keyFile: null, cancellationToken)
                .ConfigureAwait(false);
            var shell = await _login.ConnectAsync(machine, target with { HandshakeAttempts = 2 }, LoginPatience, null, cancellationToken)
                .ConfigureAwait(false);
            await using (shell)
            {
                return await GuestRenewal.RunAsync(
                    shell, target.User, machine.Spec.Isa, _entropy, _time, cancellationToken)
                    .ConfigureAwait(false)
                    ? null : "the guest refused it";
            }
        }
        catch (ProblemException e)
        {
            return e.Problem.Summary;
        }
    }

    private async Task<bool> RenewByAgentAsync(MachineRecord machine, CancellationToken cancellationToken)
    {
        await using var guest = await _host.FindAsync(machine, cancellationToken).ConfigureAwait(false);
        return guest is not null
            && await AgentRenewal.RunAsync(guest, machine.Spec.Isa, _entropy, _time, cancellationToken)
                .ConfigureAwait(false);
    }
}
