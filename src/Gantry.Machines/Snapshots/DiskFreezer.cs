using Gantry.Engines;
using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.State;
using Gantry.Model.Volumes;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Snapshots;

/// <summary>The volumes that held a machine's state at one moment, in the order of its disks.</summary>
public sealed record FrozenState(ValueList<VolumeId> Disks, VolumeId? Variables);

/// <summary>
/// Freezes a machine's disks and UEFI variables at one moment: each gets a new, empty top, and what was the top until
/// then is never written again. Running machines switch in one QMP transaction.
/// </summary>
/// <remarks>
/// The new tops are recorded as pending before they are made and QEMU is told. An empty top over the old one shows the same content, so
/// after a crash the pending tops are the right ones in every case but one: a QEMU that lives on and never switched.
/// <see cref="RepairAsync"/> asks it.
/// </remarks>
public sealed class DiskFreezer(MachineCatalog catalog, VolumePool volumes, ChainMerger merger)
{
    /// <summary>Freezes, and makes <paramref name="user"/> a user of what was frozen.</summary>
    /// <param name="machine">As it is recorded now; its caller holds its lock.</param>
    /// <param name="guest">Its running QEMU; null when it is stopped.</param>
    /// <param name="user">Who keeps the frozen volumes.</param>
    /// <param name="memoryFile">Where to write the memory of that same moment; null for disks only.</param>
    /// <param name="cancellationToken">Stops before the switch; after it the records are finished regardless.</param>
    /// <returns>What is frozen, and the machine with its new tops.</returns>
    public async Task<(FrozenState Frozen, MachineRecord Machine)> FreezeAsync(
        MachineRecord machine, IMachineGuest? guest, string user, string? memoryFile, CancellationToken cancellationToken)
    {
        machine = await RepairAsync(machine, guest, cancellationToken).ConfigureAwait(false);
        await merger.MergeAsync(machine, guest, Model.NoProgress.Instance, cancellationToken).ConfigureAwait(false);
        var pending = await PrepareAsync(machine, cancellationToken).ConfigureAwait(false);
        try
        {
            if (guest is not null)
                await SwitchAsync(pending, guest, memoryFile, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await RepairAsync(pending, guest, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        var frozen = new FrozenState(pending.Spec.Disks.Select(disk => disk.Volume).ToValueList(), pending.Variables);
        return (frozen, await AcceptAsync(pending, user, CancellationToken.None).ConfigureAwait(false));
    }

    /// <summary>Settles what a crash left between the two halves of a freeze.</summary>
    public async Task<MachineRecord> RepairAsync(
        MachineRecord machine, IMachineGuest? guest, CancellationToken cancellationToken)
    {
        if (machine.PendingTops.Count == 0)
            return machine;
        if (guest is not null && !await HasSwitchedAsync(machine, guest, cancellationToken).ConfigureAwait(false))
            return await RevertAsync(machine, cancellationToken).ConfigureAwait(false);
        return await AcceptAsync(machine, user: null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>QEMU's node for a volume's file; at most 31 characters.</summary>
    public static string NodeOf(VolumeId volume) => $"v{volume}";

    private async Task<MachineRecord> PrepareAsync(MachineRecord machine, CancellationToken cancellationToken)
    {
        var tops = MachineVolumes.Tops(machine);
        var overlays = new List<VolumeRecord>();
        foreach (var top in tops)
        {
            var beneath = await volumes.GetAsync(top, cancellationToken).ConfigureAwait(false);
            overlays.Add(volumes.Plan(beneath.Purpose, beneath.VirtualSize, top));
        }

        var pending = await catalog.UpdateAsync(
            machine.Number,
            record => record with { PendingTops = overlays.Select(overlay => overlay.Id).ToValueList() },
            cancellationToken,
            (_, _) => overlays.SelectMany(overlay => volumes.Adopt(overlay, MachineUsers.Of(machine.Number))))
            .ConfigureAwait(false);
        foreach (var overlay in overlays)
            volumes.CreateFile(overlay);
        return pending;
    }

    private async Task SwitchAsync(
        MachineRecord machine, IMachineGuest guest, string? memoryFile, CancellationToken cancellationToken)
    {
        var running = await guest.PhaseAsync(cancellationToken).ConfigureAwait(false) == MachinePhase.Running;
        try
        {
            if (memoryFile is not null)
                await guest.SaveMemoryAsync(memoryFile, cancellationToken: cancellationToken).ConfigureAwait(false);
            await guest.SnapshotDisksAsync(await OverlaysAsync(machine, guest, cancellationToken).ConfigureAwait(false), cancellationToken)
                .ConfigureAwait(false);
        }
        finally
        {
            if (running && memoryFile is not null)
                await guest.ResumeAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<List<DiskOverlay>> OverlaysAsync(
        MachineRecord machine, IMachineGuest guest, CancellationToken cancellationToken)
    {
        var nodes = await guest.TopNodesAsync(cancellationToken).ConfigureAwait(false);
        var overlays = new List<DiskOverlay>();
        for (var i = 0; i < machine.PendingTops.Count; i++)
        {
            var overlay = await volumes.GetAsync(machine.PendingTops[i], cancellationToken).ConfigureAwait(false);
            var disk = i < machine.Spec.Disks.Count;
            overlays.Add(new DiskOverlay(
                nodes[disk ? $"disk{i}" : "efivars"],
                volumes.PathOf(overlay),
                NodeOf(overlay.Id),
                disk && machine.Spec.Disks[i].Discard));
        }

        return overlays;
    }

    private async Task<MachineRecord> AcceptAsync(
        MachineRecord machine, string? user, CancellationToken cancellationToken)
    {
        var tops = MachineVolumes.Tops(machine);
        var own = MachineUsers.Of(machine.Number);
        var changes = new List<StateOperation>();
        foreach (var overlay in machine.PendingTops)
            volumes.CreateFile(await volumes.GetAsync(overlay, cancellationToken).ConfigureAwait(false));
        foreach (var top in tops)
        {
            var record = await volumes.GetAsync(top, cancellationToken).ConfigureAwait(false);
            changes.Add(volumes.Put(record with { Frozen = true }));
            changes.Add(volumes.Unuse(top, own));
            if (user is not null)
                changes.Add(volumes.Use(top, user));
        }

        return await catalog.UpdateAsync(
            machine.Number,
            record => record with
            {
                Spec = record.Spec with
                {
                    Disks = record.Spec.Disks.Select((disk, i) => disk with { Volume = machine.PendingTops[i] }).ToValueList(),
                },
                Variables = record.Variables is null ? null : machine.PendingTops[^1],
                PendingTops = [],
            },
            cancellationToken,
            (_, _) => changes).ConfigureAwait(false);
    }

    private async Task<MachineRecord> RevertAsync(MachineRecord machine, CancellationToken cancellationToken)
    {
        var reverted = await catalog.UpdateAsync(
            machine.Number, record => record with { PendingTops = [] }, cancellationToken).ConfigureAwait(false);
        foreach (var overlay in machine.PendingTops)
            await volumes.ReleaseAsync(overlay, MachineUsers.Of(machine.Number), cancellationToken)
                .ConfigureAwait(false);
        return reverted;
    }

    private static async Task<bool> HasSwitchedAsync(
        MachineRecord machine, IMachineGuest guest, CancellationToken cancellationToken)
    {
        var nodes = await guest.TopNodesAsync(cancellationToken).ConfigureAwait(false);
        return machine.PendingTops.Any(top => nodes.Values.Contains(NodeOf(top)));
    }
}
