using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Imaging.Definitions;

/// <summary>
/// A <c>source "qemu"</c> block, read and checked: Packer's options under their own names and meanings (see its
/// documentation of the qemu builder), and ours. Paths are absolute. Durations and sizes are already numbers.
/// </summary>
public sealed record QemuSource
{
    /// <summary>The second label of the block.</summary>
    public required string Name { get; init; }

    public required BaseDefinition Base { get; init; }

    public required Isa Isa { get; init; }

    /// <summary>What the user wrote for <c>accelerator</c>; null lets Gantry choose by proof.</summary>
    public string? Accelerator { get; init; }

    public string? MachineType { get; init; }

    public string? CpuModel { get; init; }

    public CpuTopology Cpu { get; init; } = new();

    public int MemoryMiB { get; init; } = 512;

    public FirmwareSpec Firmware { get; init; } = new();

    public TpmSpec? Tpm { get; init; }

    /// <summary>Bytes of each disk, the first being the one that is installed to.</summary>
    public ValueList<long> DiskSizes { get; init; } = [];

    public DiskBus DiskBus { get; init; }

    public DiskBus CdromBus { get; init; }

    public string DiskCache { get; init; } = "writeback";

    public bool DiskDiscard { get; init; } = true;

    public string? DetectZeroes { get; init; }

    /// <summary>QEMU's device name; null means the ISA's.</summary>
    public string? NetDevice { get; init; }

    public string? NetBridge { get; init; }

    public string? GraphicsAdapter { get; init; }

    public string KeyboardLayout { get; init; } = "us";

    public ValueList<QemuSwitch> QemuSwitches { get; init; } = [];

    public AnswerOptions Answers { get; init; } = new();

    public BootOptions Boot { get; init; } = new();

    public CommunicatorOptions Communicator { get; init; } = new();

    /// <summary>Run in the guest to end it; null presses the power button (ACPI).</summary>
    public string? ShutdownCommand { get; init; }

    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromMinutes(5);

    public OutputOptions Output { get; init; } = new();

    /// <summary>Remove what identifies a host before the template is frozen; null means yes for Linux guests.</summary>
    public bool? Seal { get; init; }

    /// <summary>The installation reaches for the network, so <see cref="MaxAge"/> bounds it too.</summary>
    public bool UsesNetwork { get; init; }

    /// <summary>Steps that use the network are run again when their layer is older; null never.</summary>
    public TimeSpan? MaxAge { get; init; }
}

/// <summary>What the machine is made from.</summary>
public abstract record BaseDefinition
{
    private BaseDefinition()
    {
    }

    /// <summary>An installer ISO, with the addresses to try in turn and Packer's checksum words.</summary>
    public sealed record Iso(ValueList<string> Urls, string Checksum) : BaseDefinition
    {
        public string? TargetPath { get; init; }
    }

    /// <summary>A disk image, which becomes the machine's first disk.</summary>
    public sealed record DiskImage(ValueList<string> Urls, string Checksum) : BaseDefinition;

    /// <summary>A template of the local store.</summary>
    public sealed record Template(string Name) : BaseDefinition;

    /// <summary>A kernel, with or without an initramfs; either may lie in an ISO as <c>iso:/path</c>.</summary>
    public sealed record Kernel(string KernelPath, string? InitrdPath, string CommandLine, Iso? Cdrom) : BaseDefinition;
}

/// <summary>The files that an installer reads its answers from.</summary>
public sealed record AnswerOptions
{
    public string? HttpDirectory { get; init; }

    /// <summary>Path (with a leading slash) to content.</summary>
    public ValueList<ContentFile> HttpContent { get; init; } = [];

    public int HttpPortMin { get; init; } = 8000;

    public int HttpPortMax { get; init; } = 9000;

    public string HttpBindAddress { get; init; } = "0.0.0.0";

    /// <summary>Files, folders and patterns on the host.</summary>
    public ValueList<string> CdFiles { get; init; } = [];

    public ValueList<ContentFile> CdContent { get; init; } = [];

    public string CdLabel { get; init; } = "packer";

    public ValueList<string> FloppyFiles { get; init; } = [];

    public ValueList<string> FloppyDirs { get; init; } = [];

    public ValueList<ContentFile> FloppyContent { get; init; } = [];

    public string FloppyLabel { get; init; } = "packer";

    public bool HasHttp => HttpDirectory is not null || HttpContent.Count > 0;

    public bool HasCd => CdFiles.Count > 0 || CdContent.Count > 0;

    public bool HasFloppy => FloppyFiles.Count > 0 || FloppyDirs.Count > 0 || FloppyContent.Count > 0;
}

/// <summary>A file given in the template itself.</summary>
public sealed record ContentFile(string Path, string Content);

public sealed record BootOptions
{
    /// <summary>The typed command's parts, to be joined; empty types nothing.</summary>
    public ValueList<string> Command { get; init; } = [];

    /// <summary>Before typing; zero when the command itself waits for something.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The least time between keys; null types as fast as the guest takes them.</summary>
    public TimeSpan? KeyInterval { get; init; }

    public TimeSpan? KeyGroupInterval { get; init; }
}

public enum CommunicatorKind
{
    Ssh,

    /// <summary>No login: the installation shuts the machine down itself.</summary>
    None,
}

public sealed record CommunicatorOptions
{
    public CommunicatorKind Kind { get; init; }

    public string User { get; init; } = "root";

    public string? Password { get; init; }

    public string? PrivateKeyFile { get; init; }

    public int GuestPort { get; init; } = 22;

    /// <summary>From the first try to the answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan PauseBeforeConnecting { get; init; }

    /// <summary>The host's ports that may be forwarded to the guest's.</summary>
    public int HostPortMin { get; init; } = 2222;

    public int HostPortMax { get; init; } = 4444;

    public bool Pty { get; init; }

    /// <summary>A host that is reached as it is, without a forwarded port.</summary>
    public string? Host { get; init; }
}

public sealed record OutputOptions
{
    /// <summary>Packer's <c>output_directory</c>; null makes no file but the template.</summary>
    public string? Directory { get; init; }

    /// <summary>The machine's name within the build, and the output file's.</summary>
    public string MachineName { get; init; } = "";

    /// <summary>qcow2, raw, vmdk, vdi, vhdx or vpc; null makes no disk file.</summary>
    public string? Format { get; init; }

    public bool Compress { get; init; }

    public bool SkipCompaction { get; init; }

    /// <summary>The name of the template in the local store; null makes none.</summary>
    public string? Template { get; init; }

    /// <summary><c>artifact "iso"</c>: an installer that needs no typing.</summary>
    public IsoArtifact? Iso { get; init; }

    /// <summary>An ISO is made from an ISO; nothing has to run for it.</summary>
    public bool NeedsMachine => Template is not null || Directory is not null;
}

/// <summary>An installer ISO made from another one, that boots by itself.</summary>
public sealed record IsoArtifact
{
    public required string Output { get; init; }

    public string KernelArguments { get; init; } = "";

    /// <summary>Path on the ISO to a file on the host.</summary>
    public ValueList<HostFile> Files { get; init; } = [];

    public ValueList<ContentFile> Content { get; init; } = [];

    /// <summary>The menu entry that is changed and chosen; null takes the menu's own choice.</summary>
    public string? MenuEntry { get; init; }

    public string? VolumeLabel { get; init; }
}

public sealed record HostFile(string Path, string HostPath);
