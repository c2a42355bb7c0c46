using Gantry.Model.Volumes;

namespace Gantry.Model.Machines;

/// <summary>
/// What a user wants a machine to be. Nothing in it depends on the host that runs it: files are named by volume or
/// image, never by an engine's command line.
/// </summary>
public sealed record MachineSpec
{
    public required string Name { get; init; }

    public required Isa Isa { get; init; }

    /// <summary>
    /// QEMU's machine type, pinned (<c>pc-i440fx-7.2</c>) once the machine exists; null means the ISA's.
    /// </summary>
    public string? MachineType { get; init; }

    /// <summary>null means the best that the accelerator and the ISA offer.</summary>
    public string? CpuModel { get; init; }

    public CpuTopology Cpu { get; init; } = new();

    /// <summary>MiB.</summary>
    public int MemoryMiB { get; init; } = 512;

    public FirmwareSpec Firmware { get; init; } = new();

    public TpmSpec? Tpm { get; init; }

    public ValueList<DiskSpec> Disks { get; init; } = [];

    public ValueList<CdromSpec> Cdroms { get; init; } = [];

    /// <summary>A floppy image's file in the machine's folder or an absolute path; null for none.</summary>
    public string? Floppy { get; init; }

    public ValueList<NetworkCardSpec> NetworkCards { get; init; } = [];

    /// <summary>A kernel started directly, without firmware or boot loader; null boots from the devices.</summary>
    public DirectBoot? Kernel { get; init; }

    public BootDevice Boot { get; init; } = BootDevice.Disk;

    /// <summary>null means the ISA's; <c>none</c> leaves the machine with only its serial console.</summary>
    public string? GraphicsAdapter { get; init; }

    public ValueList<SharedFolder> SharedFolders { get; init; } = [];

    public CloudInit? CloudInit { get; init; }

    /// <summary>The layout that the guest applies to its keyboard, for typed text: us, de, fr, uk.</summary>
    public string KeyboardLayout { get; init; } = "us";

    /// <summary>A record that was written before there were policies has none: a member that JSON lacks is set to
    /// null.</summary>
    public RestartSpec Restart { get; init => field = value ?? new RestartSpec(); } = new();

    /// <summary>Null for a machine that waits to be started by somebody.</summary>
    public AutostartSpec? Autostart { get; init; }

    /// <summary>Refuses deletion until it is taken away.</summary>
    public bool Protected { get; init; }

    public string Notes { get; init; } = "";

    public ValueList<string> Tags { get; init; } = [];

    /// <summary>Switches given to QEMU as they are; each replaces all of Gantry's uses of the same switch, as Packer's
    /// <c>qemuargs</c> do.</summary>
    public ValueList<QemuSwitch> QemuSwitches { get; init; } = [];
}

/// <summary>A machine starts when its host has booted, after those of a lower order.</summary>
public sealed record AutostartSpec
{
    /// <summary>0 to 9999; null is after all that have one. Hosts that go down shut guests down in reverse.</summary>
    public int? Order { get; init; }

    /// <summary>Seconds that the next machine waits once this one runs; 0 to 3600.</summary>
    public int DelaySeconds { get; init; }
}

/// <summary>When a machine that ended by itself is started again.</summary>
public enum RestartPolicy
{
    Never,

    /// <summary>When it crashed, or was killed; not when its guest shut down.</summary>
    OnFailure,

    /// <summary>Also when its guest shut down; not when a user ended it.</summary>
    Always,
}

/// <summary>What happens when a machine that is to run ends by itself.</summary>
public sealed record RestartSpec
{
    public RestartPolicy Policy { get; init; }

    /// <summary>Restarts in a row before it is given up; a run of <see cref="WellSeconds"/> ends a row.</summary>
    public int Limit { get; init; } = 5;

    /// <summary>Seconds before the first restart of a row; each later one waits twice as long, up to 60.</summary>
    public int DelaySeconds { get; init; } = 1;

    /// <summary>Seconds of running after which a machine counts as well again.</summary>
    public int WellSeconds { get; init; } = 60;
}

/// <summary>Virtual CPUs; 0 for sockets, cores or threads leaves that to QEMU.</summary>
public sealed record CpuTopology
{
    public int Count { get; init; } = 1;

    public int Sockets { get; init; }

    public int Cores { get; init; }

    public int Threads { get; init; }
}

public sealed record FirmwareSpec
{
    public FirmwareKind Kind { get; init; }

    /// <summary>UEFI only: start with enforced signatures and Microsoft's keys enrolled.</summary>
    public bool SecureBoot { get; init; }

    /// <summary>A firmware image to use instead of the installed one; an absolute path on the host.</summary>
    public string? CodeFile { get; init; }

    /// <summary>The UEFI variables to begin with; an absolute path on the host.</summary>
    public string? VariablesFile { get; init; }
}

public sealed record TpmSpec
{
    /// <summary>TPM 1.2 instead of 2.0.</summary>
    public bool Version12 { get; init; }

    /// <summary>QEMU's device: tpm-tis, tpm-crb, tpm-tis-device, tpm-spapr; null means the machine type's.</summary>
    public string? Device { get; init; }
}

public enum DiskBus
{
    /// <summary>The ISA's: virtio wherever there is one.</summary>
    Default,
    Virtio,
    Scsi,
    Ide,
    Sata,
    Nvme,
}

public sealed record DiskSpec
{
    /// <summary>The volume that is the disk's current, writable top.</summary>
    public required VolumeId Volume { get; init; }

    public DiskBus Bus { get; init; }

    /// <summary>QEMU's words: writeback, none, unsafe, directsync, writethrough.</summary>
    public string Cache { get; init; } = "writeback";

    public bool Discard { get; init; } = true;

    public string? DetectZeroes { get; init; }
}

public sealed record CdromSpec
{
    /// <summary>
    /// An ISO image; an absolute path on the host or a file in the machine's folder. Null is an empty drive.
    /// </summary>
    public string? File { get; init; }

    /// <summary>The CD that carries cloud-init's seed, made anew when the machine starts.</summary>
    public bool Seed { get; init; }

    public DiskBus Bus { get; init; }
}

public sealed record NetworkCardSpec
{
    /// <summary>Six bytes, lower-case, with colons.</summary>
    public required string Mac { get; init; }

    /// <summary>QEMU's device name; null means the ISA's.</summary>
    public string? Device { get; init; }

    /// <summary>A host bridge for a tap; null means QEMU's user-mode network.</summary>
    public string? Bridge { get; init; }

    /// <summary>Guest ports reachable on the host; user-mode network only.</summary>
    public ValueList<PublishedPort> Published { get; init; } = [];

    /// <summary>No way out of the guest but the published ports; user-mode network only.</summary>
    public bool Restricted { get; init; }
}

/// <summary>A guest's port that the host answers on.</summary>
public sealed record PublishedPort
{
    /// <summary>The host's address to listen on; loopback unless asked for more.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>1 to 65535; 0 lets Gantry choose a free one at each start.</summary>
    public required int HostPort { get; init; }

    /// <summary>1 to 65535.</summary>
    public required int GuestPort { get; init; }

    public bool Udp { get; init; }
}

/// <summary>A kernel given to QEMU itself. Paths are absolute, on the host.</summary>
public sealed record DirectBoot
{
    public required string Kernel { get; init; }

    public string? Initrd { get; init; }

    public string CommandLine { get; init; } = "";
}

public enum BootDevice
{
    Disk,

    /// <summary>The first CD at the first start, the disk at each reset after it.</summary>
    CdromOnce,
    Cdrom,
    Network,
}

/// <summary>A folder of the host that the guest mounts by its tag, over 9p.</summary>
public sealed record SharedFolder
{
    /// <summary>Absolute, on the host.</summary>
    public required string HostPath { get; init; }

    /// <summary>What the guest names in <c>mount -t 9p TAG</c>; at most 31 bytes.</summary>
    public required string Tag { get; init; }

    public bool ReadOnly { get; init; }
}

/// <summary>What a NoCloud seed tells the guest.</summary>
public sealed record CloudInit
{
    /// <summary>null leaves the image's own default user.</summary>
    public string? User { get; init; }

    /// <summary>A password hash in crypt(3) form, never plain text.</summary>
    public string? PasswordHash { get; init; }

    public ValueList<string> SshKeys { get; init; } = [];

    /// <summary>A whole user-data file, which then replaces what Gantry would write; at most 1 MiB.</summary>
    public string? UserData { get; init; }

    /// <summary>A whole network-config file (version 1 or 2).</summary>
    public string? NetworkConfig { get; init; }
}

/// <summary>One switch of QEMU's command line with its value; the value is null for a bare switch.</summary>
public sealed record QemuSwitch
{
    /// <summary>With its leading hyphen.</summary>
    public required string Name { get; init; }

    public string? Value { get; init; }
}
