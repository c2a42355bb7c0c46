using Gantry.Model.Images;

namespace Gantry.Model.Machines;

/// <summary>What a machine is for; builds' machines are machines too, and are listed as such.</summary>
public enum MachineRole
{
    Ordinary,

    /// <summary>A build's machine: removed when the build ends.</summary>
    Build,
}

/// <summary>A machine as the store keeps it: its spec and what never changes about it.</summary>
public sealed record MachineRecord
{
    public required MachineNumber Number { get; init; }

    /// <summary>
    /// What the guest sees as its hardware's UUID, and what proves a running QEMU to be this machine.
    /// </summary>
    public required Guid Uuid { get; init; }

    public required MachineSpec Spec { get; init; }

    public required DateTimeOffset Created { get; init; }

    public MachineRole Role { get; init; }

    /// <summary>The guest's instance-id; a clone gets a new one.</summary>
    public required string InstanceId { get; init; }

    /// <summary>The template it was made from, by id; null when it was made from none.</summary>
    public string? Template { get; init; }

    public Provenance Provenance { get; init; } = new();

    public ValueList<SnapshotRecord> Snapshots { get; init; } = [];

    /// <summary>The snapshot that the present state came from; null before the first.</summary>
    public string? CurrentSnapshot { get; init; }

    /// <summary>
    /// UEFI variables (a qcow2 volume, so that a snapshot takes them with the disks); null without UEFI.
    /// </summary>
    public Volumes.VolumeId? Variables { get; init; }

    /// <summary>
    /// New tops over the disks (and last, over the UEFI variables if there are any) that QEMU is being told to switch
    /// to. Recorded before the files are made and QEMU is told; empty over the old tops they show the same content.
    /// </summary>
    public ValueList<Volumes.VolumeId> PendingTops { get; init; } = [];
}

public sealed record SnapshotRecord
{
    public required string Name { get; init; }

    public required DateTimeOffset Created { get; init; }

    public string? Parent { get; init; }

    public string Notes { get; init; } = "";

    /// <summary>The frozen volumes, in the order of the spec's disks.</summary>
    public required ValueList<Volumes.VolumeId> Disks { get; init; }

    public Volumes.VolumeId? Variables { get; init; }

    /// <summary>The memory's file in the machine's folder; null for disks only.</summary>
    public string? MemoryFile { get; init; }

    /// <summary>
    /// How the guest's instructions were run; memory can only be loaded into the same. Null for disks only.
    /// </summary>
    public Accelerator? Accelerator { get; init; }

    /// <summary>The machine's hardware at that moment; without cloud-init's settings, notes and tags.</summary>
    public required MachineSpec Spec { get; init; }
}

/// <summary>What can be seen of a machine on its host.</summary>
public enum MachinePhase
{
    Stopped,
    Starting,
    Running,
    Paused,

    /// <summary>It was asked to shut down and has not yet.</summary>
    Stopping,

    /// <summary>QEMU is alive, but the guest can't go on: a full or broken disk, a crash it reported.</summary>
    Faulted,
}
