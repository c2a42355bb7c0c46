using Gantry.Engines;
using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Steps.Jobs;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Snapshots;

/// <summary>
/// Takes snapshots: all disks and the UEFI variables at one moment, with the TPM's state and, where asked for, the
/// memory of that moment. The machine may run, be paused or be stopped.
/// </summary>
public sealed class SnapshotTaker
{
    /// <summary>Each is a kilobyte or two of the machine's record, which may have 64 KiB.</summary>
    public const int MostSnapshots = 24;

    private readonly MachineCatalog _catalog;
    private readonly VolumePool _volumes;
    private readonly DiskFreezer _freezer;
    private readonly MachineHost _host;
    private readonly MachineTurns _turns;
    private readonly JobRunner _jobs;
    private readonly TimeProvider _time;

    public SnapshotTaker(
        MachineCatalog catalog, VolumePool volumes, DiskFreezer freezer, MachineHost host, MachineTurns turns, JobRunner jobs, TimeProvider time)
    {
        _catalog = catalog;
        _volumes = volumes;
        _freezer = freezer;
        _host = host;
        _turns = turns;
        _jobs = jobs;
        _time = time;
        Kind = new JobKind<SnapshotTaking>(
            "snapshot",
            version: 1,
            () => SnapshotJson.Default.SnapshotTaking,
            CrashPolicy.Undo,
            [
                turns.Step<SnapshotTaking>("files", MakeFilesAsync, RemoveFilesAsync),
                turns.Step<SnapshotTaking>("freeze", FreezeAsync, ThawAsync),
                turns.Step<SnapshotTaking>("record", RecordAsync, ForgetAsync),
            ]);
    }

    /// <summary>For the registry of what can be repaired after a crash.</summary>
    public JobKind<SnapshotTaking> Kind { get; }

    /// <summary>Takes a snapshot; the machine goes on as it was.</summary>
    /// <exception cref="ProblemException">The name is taken, memory is asked of a stopped machine, or it failed; nothing of it is left.</exception>
    public Task<SnapshotRecord> TakeAsync(
        MachineNumber number, SnapshotRequest request, IProgressSink progress, CancellationToken cancellationToken) =>
        _turns.RunAsync(
            number,
            async () =>
            {
                var taking = await PlanAsync(number, request, cancellationToken).ConfigureAwait(false);
                progress.Activity($"Taking snapshot {request.Name}");
                await _jobs.RunUnwrappedAsync(Kind, taking, progress, cancellationToken).ConfigureAwait(false);
                return taking.Snapshot;
            },
            cancellationToken);

    /// <summary>What the job begins with, for a machine whose lock the caller holds.</summary>
    internal async Task<SnapshotTaking> PlanAsync(
        MachineNumber number, SnapshotRequest request, CancellationToken cancellationToken)
    {
        Names.Check(request.Name, "snapshot");
        var machine = await _catalog.GetAsync(number.ToString(), cancellationToken).ConfigureAwait(false);
        Check(machine, request);
        await using var guest = await _host.FindAsync(machine, cancellationToken).ConfigureAwait(false);
        machine = await _freezer.RepairAsync(machine, guest, cancellationToken).ConfigureAwait(false);
        var phase = guest is null ? MachinePhase.Stopped : await guest.PhaseAsync(cancellationToken)
            .ConfigureAwait(false);
        if (request.Memory && phase is not (MachinePhase.Running or MachinePhase.Paused))
        {
            throw new ProblemException(
                ProblemKind.Conflict,
                $"{machine.Spec.Name} is {phase.ToString().ToLowerInvariant()}, so it has no memory to keep",
                "take the snapshot without --memory, or start the machine first");
        }

        // What it was started with, which its record may have left behind since.
        var runtime = guest is null ? null : _host.Runtime(number);
        var hardware = runtime?.Spec ?? machine.Spec;
        if (request.Memory)
            FileSpace.Require(_volumes.Folders.Machines, (long)hardware.MemoryMiB << 20, "the machine's memory");
        return new SnapshotTaking
        {
            Machine = number,
            WasRunning = phase == MachinePhase.Running,
            Snapshot = new SnapshotRecord
            {
                Name = request.Name,
                Created = _time.GetUtcNow(),
                Parent = machine.CurrentSnapshot,
                Notes = request.Notes,
                Disks = machine.Spec.Disks.Select(disk => disk.Volume).ToValueList(),
                Variables = machine.Variables,
                MemoryFile = request.Memory ? SnapshotFiles.MemoryName : null,
                Accelerator = request.Memory ? runtime?.Accelerator : null,
                Spec = MachineVolumes.WithDisks(hardware, machine.Spec.Disks.Select(disk => disk.Volume).ToList()) with
                {
                    CloudInit = null,
                    Notes = "",
                    Tags = [],
                },
            },
        };
    }

    private static void Check(MachineRecord machine, SnapshotRequest request)
    {
        if (machine.Snapshots.Any(snapshot => snapshot.Name == request.Name))
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{machine.Spec.Name} has a snapshot {request.Name} already",
                $"choose another name, or delete that one: gantry snapshot delete {machine.Spec.Name} {request.Name}");
        }

        if (machine.Snapshots.Count >= MostSnapshots)
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{machine.Spec.Name} has {machine.Snapshots.Count} snapshots, and can have no more",
                $"delete some: gantry snapshot list {machine.Spec.Name}");
        }
    }

    private Task MakeFilesAsync(SnapshotTaking taking, CancellationToken cancellationToken)
    {
        SnapshotFiles.Begin(_volumes.Folders, taking.Machine, taking.Snapshot.Name);
        return Task.CompletedTask;
    }

    private Task RemoveFilesAsync(SnapshotTaking taking, CancellationToken cancellationToken)
    {
        SnapshotFiles.Remove(_volumes.Folders, taking.Machine, taking.Snapshot.Name);
        return Task.CompletedTask;
    }

    private async Task FreezeAsync(SnapshotTaking taking, CancellationToken cancellationToken)
    {
        var machine = await _catalog.GetAsync(taking.Machine.ToString(), cancellationToken).ConfigureAwait(false);
        await using var guest = await _host.FindAsync(machine, cancellationToken).ConfigureAwait(false);
        try
        {
            machine = await _freezer.RepairAsync(machine, guest, cancellationToken).ConfigureAwait(false);
            if (MachineVolumes.Tops(machine).Equals(MachineVolumes.Of(taking.Snapshot)))
                await FreezeNowAsync(taking, machine, guest, cancellationToken).ConfigureAwait(false);
            else
                await KeepFrozenAsync(taking, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await GoOnAsync(taking, guest).ConfigureAwait(false);
        }
    }

    private async Task FreezeNowAsync(
        SnapshotTaking taking, MachineRecord machine, IMachineGuest? guest, CancellationToken cancellationToken)
    {
        var folders = _volumes.Folders;
        if (machine.Spec.Tpm is not null)
        {
            // So that the state on disk, in memory and in the TPM is of one moment.
            if (guest is not null)
                await guest.PauseAsync(cancellationToken).ConfigureAwait(false);
            SnapshotFiles.KeepTpm(folders, taking.Machine, taking.Snapshot.Name);
        }

        var memory = taking.Snapshot.MemoryFile is null
            ? null : SnapshotFiles.MemoryFile(folders, taking.Machine, taking.Snapshot.Name);
        if (memory is not null && guest is null)
            throw new ProblemException(ProblemKind.Conflict, $"{machine.Spec.Name} ended while its snapshot was being taken", "start it and try again");
        await _freezer.FreezeAsync(machine, guest, UserOf(taking), memory, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An earlier attempt froze the disks, and may have been cut off before it said who keeps them.</summary>
    private async Task KeepFrozenAsync(SnapshotTaking taking, CancellationToken cancellationToken)
    {
        if (taking.Snapshot.MemoryFile is not null && !File.Exists(SnapshotFiles.MemoryFile(_volumes.Folders, taking.Machine, taking.Snapshot.Name)))
            throw new ProblemException(
                ProblemKind.Failed, "the machine ended before its memory was kept", "take the snapshot again");
        await _volumes.UseAllAsync(MachineVolumes.Of(taking.Snapshot), UserOf(taking), cancellationToken)
            .ConfigureAwait(false);
    }

    private async Task ThawAsync(SnapshotTaking taking, CancellationToken cancellationToken)
    {
        if (await _catalog.FindAsync(taking.Machine, cancellationToken).ConfigureAwait(false) is { } machine)
        {
            await using var guest = await _host.FindAsync(machine, cancellationToken).ConfigureAwait(false);
            await _freezer.RepairAsync(machine, guest, cancellationToken).ConfigureAwait(false);
            await GoOnAsync(taking, guest).ConfigureAwait(false);
        }

        foreach (var volume in MachineVolumes.Of(taking.Snapshot))
            await _volumes.ReleaseAsync(volume, UserOf(taking), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Keeping memory pauses the guest; also one that was left so by a crash goes on.</summary>
    private static async Task GoOnAsync(SnapshotTaking taking, IMachineGuest? guest)
    {
        if (taking.WasRunning && guest is not null && await guest.PhaseAsync(CancellationToken.None).ConfigureAwait(false) == MachinePhase.Paused)
            await guest.ResumeAsync(CancellationToken.None).ConfigureAwait(false);
    }

    private Task RecordAsync(SnapshotTaking taking, CancellationToken cancellationToken) => _catalog.UpdateAsync(
        taking.Machine,
        machine => machine.Snapshots.Any(snapshot => snapshot.Name == taking.Snapshot.Name)
            ? machine
            : machine with { Snapshots = machine.Snapshots.With(taking.Snapshot), CurrentSnapshot = taking.Snapshot.Name },
        cancellationToken).AsTask();

    private async Task ForgetAsync(SnapshotTaking taking, CancellationToken cancellationToken)
    {
        if (await _catalog.FindAsync(taking.Machine, cancellationToken).ConfigureAwait(false) is null)
            return;
        await _catalog.UpdateAsync(
            taking.Machine,
            machine => machine.Snapshots.All(snapshot => snapshot.Name != taking.Snapshot.Name)
                ? machine
                : machine with
                {
                    Snapshots = machine.Snapshots.Where(snapshot => snapshot.Name != taking.Snapshot.Name).ToValueList(),
                    CurrentSnapshot = taking.Snapshot.Parent,
                },
            cancellationToken).ConfigureAwait(false);
    }

    private static string UserOf(SnapshotTaking taking) => MachineUsers.Of(taking.Machine, taking.Snapshot.Name);
}
