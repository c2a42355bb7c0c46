using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Machines.Snapshots;

/// <summary>Which volumes a machine, and each of its snapshots, consists of.</summary>
public static class MachineVolumes
{
    /// <summary>
    /// The volumes that are written: the disks in order, and last the UEFI variables where there are any.
    /// </summary>
    public static ValueList<VolumeId> Tops(MachineRecord machine) => Of(machine.Spec, machine.Variables);

    /// <summary>In the order of <see cref="Tops"/>.</summary>
    public static ValueList<VolumeId> Of(MachineSpec spec, VolumeId? variables) =>
        All(spec.Disks.Select(disk => disk.Volume).ToValueList(), variables);

    public static ValueList<VolumeId> Of(SnapshotRecord snapshot) => All(snapshot.Disks, snapshot.Variables);

    /// <summary>A spec with other volumes for its disks, in order.</summary>
    public static MachineSpec WithDisks(MachineSpec spec, IReadOnlyList<VolumeId> disks) => spec with
    {
        Disks = spec.Disks.Select((disk, i) => disk with { Volume = disks[i] }).ToValueList(),
    };

    private static ValueList<VolumeId> All(ValueList<VolumeId> disks, VolumeId? variables) =>
        variables is { } last ? disks.With(last) : disks;
}
