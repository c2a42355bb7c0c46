using Gantry.Engines;
using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;
using Gantry.Steps.Jobs;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Snapshots;

/// <summary>
/// Deletes snapshots. What the machine's present state or another snapshot needs of one's volumes is first copied into
/// the volume above; what a clone needs stays.
/// </summary>
public sealed class SnapshotDeleter
{
    private readonly MachineCatalog _catalog;
    private readonly VolumePool _volumes;
    private readonly ChainMerger _merger;
    private readonly MachineHost _host;
    private readonly MachineTurns _turns;
    private readonly JobRunner _jobs;

    public SnapshotDeleter(
        MachineCatalog catalog, VolumePool volumes, ChainMerger merger, MachineHost host, MachineTurns turns, JobRunner jobs)
    {
        _catalog = catalog;
        _volumes = volumes;
        _merger = merger;
        _host = host;
        _turns = turns;
        _jobs = jobs;
        Kind = new JobKind<SnapshotDeletion>(
            "delete-snapshot",
            version: 1,
            () => SnapshotJson.Default.SnapshotDeletion,
            CrashPolicy.Resume,
            [
                turns.Step<SnapshotDeletion>("forget", ForgetAsync, RememberAsync),
                turns.Step<SnapshotDeletion>("merge", MergeAsync),
                turns.Step<SnapshotDeletion>("files", RemoveFilesAsync),
            ],
            pointOfNoReturn: "forget");
    }

    /// <summary>For the registry of what can be repaired after a crash.</summary>
    public JobKind<SnapshotDeletion> Kind { get; }

    /// <exception cref="ProblemException">There is no such snapshot.</exception>
    public Task DeleteAsync(
        MachineNumber number, string name, IProgressSink progress, CancellationToken cancellationToken) =>
        _turns.RunAsync(
            number,
            async () =>
            {
                var deletion = await PlanAsync(number, name, cancellationToken).ConfigureAwait(false);
                progress.Activity($"Deleting snapshot {name}");
                await _jobs.RunUnwrappedAsync(Kind, deletion, progress, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken);

    internal async Task<SnapshotDeletion> PlanAsync(
        MachineNumber number, string name, CancellationToken cancellationToken)
    {
        var machine = await _catalog.GetAsync(number.ToString(), cancellationToken).ConfigureAwait(false);
        return new SnapshotDeletion
        {
            Machine = number,
            Snapshot = machine.Snapshot(name),
            WasCurrent = machine.CurrentSnapshot == name,
            Children = machine.Snapshots.Where(snapshot => snapshot.Parent == name).Select(snapshot => snapshot.Name).ToValueList(),
        };
    }

    /// <summary>The record and the volumes' user go in one transaction; the files stay until the next step.</summary>
    private async Task ForgetAsync(SnapshotDeletion deletion, CancellationToken cancellationToken)
    {
        if (await _catalog.FindAsync(deletion.Machine, cancellationToken).ConfigureAwait(false) is null)
            return;
        var name = deletion.Snapshot.Name;
        var user = MachineUsers.Of(deletion.Machine, name);
        await _catalog.UpdateAsync(
            deletion.Machine,
            machine => machine with
            {
                Snapshots = machine.Snapshots.Where(snapshot => snapshot.Name != name)
                    .Select(snapshot => snapshot.Parent == name
                        ? snapshot with { Parent = deletion.Snapshot.Parent } : snapshot).ToValueList(),
                CurrentSnapshot = machine.CurrentSnapshot == name ? deletion.Snapshot.Parent : machine.CurrentSnapshot,
            },
            cancellationToken,
            (_, _) => MachineVolumes.Of(deletion.Snapshot).Select(volume => _volumes.Unuse(volume, user))).ConfigureAwait(false);
    }

    private async Task RememberAsync(SnapshotDeletion deletion, CancellationToken cancellationToken)
    {
        var name = deletion.Snapshot.Name;
        if (await _catalog.FindAsync(deletion.Machine, cancellationToken).ConfigureAwait(false) is not { } found
            || found.Snapshots.Any(snapshot => snapshot.Name == name))
        {
            return;
        }

        var user = MachineUsers.Of(deletion.Machine, name);
        await _catalog.UpdateAsync(
            deletion.Machine,
            machine => machine with
            {
                Snapshots = machine.Snapshots
                    .Select(snapshot => deletion.Children.Contains(snapshot.Name)
                        ? snapshot with { Parent = name } : snapshot)
                    .Append(deletion.Snapshot).OrderBy(snapshot => snapshot.Created).ToValueList(),
                CurrentSnapshot = deletion.WasCurrent ? name : machine.CurrentSnapshot,
            },
            cancellationToken,
            (_, _) => MachineVolumes.Of(deletion.Snapshot).Select(volume => _volumes.Use(volume, user))).ConfigureAwait(false);
    }

    private async Task MergeAsync(SnapshotDeletion deletion, CancellationToken cancellationToken)
    {
        foreach (var volume in MachineVolumes.Of(deletion.Snapshot))
            await _volumes.CollectAsync(volume, cancellationToken).ConfigureAwait(false);
        if (await _catalog.FindAsync(deletion.Machine, cancellationToken).ConfigureAwait(false) is not { } machine)
            return;
        await using var guest = await _host.FindAsync(machine, cancellationToken).ConfigureAwait(false);
        foreach (var top in MachineVolumes.Tops(machine).Concat(machine.Snapshots.SelectMany(MachineVolumes.Of)))
            await MergeChainAsync(top, guest, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Layers of the machine's own that only the one above stands on are copied into that one, and go. Those of others,
    /// a template's or a clone's source, stay: copying them would save nothing.
    /// </summary>
    private async Task MergeChainAsync(VolumeId top, IMachineGuest? guest, CancellationToken cancellationToken)
    {
        for (VolumeId? next = top; next is { } upper;)
        {
            var record = await _volumes.GetAsync(upper, cancellationToken).ConfigureAwait(false);
            var lower = record.Backing;
            while (lower is { } candidate
                && await _volumes.GetAsync(candidate, cancellationToken).ConfigureAwait(false) is var found
                && found.Purpose == record.Purpose
                && await _volumes.OnlyChildAsync(candidate, cancellationToken).ConfigureAwait(false) is not null)
            {
                lower = found.Backing;
            }

            if (lower != record.Backing)
                await TryAbsorbAsync(upper, lower, guest, cancellationToken).ConfigureAwait(false);
            next = lower;
        }
    }

    private async Task TryAbsorbAsync(
        VolumeId upper, VolumeId? lower, IMachineGuest? guest, CancellationToken cancellationToken)
    {
        try
        {
            await _merger.AbsorbAsync(upper, lower, guest, Model.NoProgress.Instance, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (ProblemException e) when (e.Problem.Kind == ProblemKind.InUse)
        {
            // A clone that runs has the volume open beneath its own. The layers stay, and nothing is wrong with them.
        }
    }

    private Task RemoveFilesAsync(SnapshotDeletion deletion, CancellationToken cancellationToken)
    {
        SnapshotFiles.Remove(_volumes.Folders, deletion.Machine, deletion.Snapshot.Name);
        return Task.CompletedTask;
    }
}
