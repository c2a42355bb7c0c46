using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Engines.Qemu;

/// <summary>All that the command line of one machine's QEMU is made from.</summary>
public sealed record QemuLaunch
{
    public required MachineNumber Number { get; init; }

    public required Guid Uuid { get; init; }

    /// <summary>With its defaults filled in by <see cref="QemuDefaults"/>: above all the machine type is pinned.</summary>
    public required MachineSpec Spec { get; init; }

    public required Accelerator Accelerator { get; init; }

    /// <summary>QEMU's program, absolute.</summary>
    public required string Binary { get; init; }

    /// <summary>null where the machine type's own firmware is used, or none.</summary>
    public FirmwareFiles? Firmware { get; init; }

    /// <summary>In the order of the spec's disks.</summary>
    public ValueList<LaunchDisk> Disks { get; init; } = [];

    /// <summary>UEFI variables, the writable top first; empty without UEFI.</summary>
    public ValueList<ChainLink> Variables { get; init; } = [];

    /// <summary>In the order of the spec's CDs; null is an empty drive. A seed's entry is ignored.</summary>
    public ValueList<string?> Cdroms { get; init; } = [];

    /// <summary>The image in the drives that the spec marks as seed.</summary>
    public string? SeedCd { get; init; }

    /// <summary>A raw floppy image.</summary>
    public string? Floppy { get; init; }

    /// <summary>Needed with a TPM in the spec: where swtpm keeps the TPM's state.</summary>
    public string? TpmStateDirectory { get; init; }

    public required RunPaths Run { get; init; }

    /// <summary>The spec's published ports with host ports chosen.</summary>
    public ValueList<LaunchPort> Ports { get; init; } = [];

    /// <summary>A VNC server on a TCP port, beside the private one; null for none.</summary>
    public LaunchVnc? Vnc { get; init; }

    /// <summary>Wait for memory that <see cref="IMachineGuest.LoadMemoryAsync"/> brings.</summary>
    public bool Incoming { get; init; }

    /// <summary>Where the ISA has the device; null lets QEMU choose at random.</summary>
    public Guid? GenerationId { get; init; }

    /// <summary>Do not run guest code until told to.</summary>
    public bool Paused { get; init; }
}

/// <summary>One file of a disk: the disk's own or one beneath it.</summary>
public sealed record ChainLink(string Path, VolumeFormat Format);

public sealed record LaunchDisk
{
    /// <summary>The writable top first, then what it is laid over. At least one.</summary>
    public required ValueList<ChainLink> Chain { get; init; }

    public DiskBus Bus { get; init; }

    /// <summary>QEMU's words: writeback, none, unsafe, directsync, writethrough.</summary>
    public string Cache { get; init; } = "writeback";

    public bool Discard { get; init; } = true;

    /// <summary>off, on or unmap; null is off.</summary>
    public string? DetectZeroes { get; init; }

    /// <summary>A disk as its spec wants it.</summary>
    public static LaunchDisk Of(DiskSpec spec, ValueList<ChainLink> chain) => new()
    {
        Chain = chain,
        Bus = spec.Bus,
        Cache = spec.Cache,
        Discard = spec.Discard,
        DetectZeroes = spec.DetectZeroes,
    };
}

/// <summary>A published port of one of the spec's network cards.</summary>
/// <param name="Card">The card's place in the spec, from 0.</param>
/// <param name="Address">IPv4; empty means all addresses.</param>
public sealed record LaunchPort(int Card, string Address, int HostPort, int GuestPort, bool Udp = false);

/// <param name="Address">IPv4 or a name.</param>
/// <param name="Port">5900 and up.</param>
/// <param name="Password">A password is needed; it is set through the monitor, never on the command line.</param>
public sealed record LaunchVnc(string Address, int Port, bool Password = false);

/// <summary>UEFI firmware in flash.</summary>
public sealed record FirmwareFiles
{
    public required string Code { get; init; }

    public VolumeFormat CodeFormat { get; init; } = VolumeFormat.Raw;

    /// <summary>What a new machine's variables begin as.</summary>
    public required string VariablesTemplate { get; init; }

    public VolumeFormat VariablesFormat { get; init; } = VolumeFormat.Raw;

    /// <summary>Variables may only be written from system management mode (x86 with Secure Boot).</summary>
    public bool RequiresSmm { get; init; }
}
