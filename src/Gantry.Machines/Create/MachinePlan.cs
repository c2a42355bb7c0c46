using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Machines.Create;

/// <summary>A machine that is to be made: its spec without volumes, and what its volumes are made from.</summary>
public sealed record MachinePlan
{
    /// <summary>
    /// Hardware and settings; <see cref="MachineSpec.Disks"/> and the cards' addresses are filled in.
    /// </summary>
    public required MachineSpec Spec { get; init; }

    public ValueList<DiskPlan> Disks { get; init; } = [];

    /// <summary>UEFI variables to go on from, frozen; null begins with the firmware's own.</summary>
    public VolumeId? Variables { get; init; }

    public MachineRole Role { get; init; }

    /// <summary>The template it is made from.</summary>
    public string? Template { get; init; }

    public Provenance Provenance { get; init; } = new();

    /// <summary>Kept from before where memory is to be loaded that knows it; null makes new ones.</summary>
    public Guid? Uuid { get; init; }

    public string? InstanceId { get; init; }
}

/// <summary>One disk: over a frozen volume, or empty.</summary>
public sealed record DiskPlan
{
    /// <summary>The frozen volume beneath; null for an empty disk.</summary>
    public VolumeId? Backing { get; init; }

    /// <summary>Bytes; null takes the size of what is beneath.</summary>
    public long? Size { get; init; }

    /// <summary>How the disk is attached; its volume is filled in.</summary>
    public DiskSpec Attachment { get; init; } = new() { Volume = default };
}
