using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Schema;
using Gantry.Hcl.Syntax;
using Gantry.Imaging.Definitions;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Imaging.Template;

/// <summary>Turns a <c>source "qemu"</c> block into what the builder works with.</summary>
internal sealed class QemuSourceReader(EvaluationScope scope, string root, DiagnosticBag diagnostics)
{
    private static readonly string[] KernelFiles = ["kernel", "initrd"];

    private const long DefaultDiskSize = 40960L << 20; // Packer's

    /// <param name="name">The source's second label.</param>
    /// <param name="body">The source's body, with what the build adds to it.</param>
    /// <param name="at">The block's header, for what is missing.</param>
    /// <param name="artifacts">The build's artifact blocks; with any, only what they name is made.</param>
    public QemuSource? Read(string name, Body body, SourceSpan at, ImmutableArray<DecodedBlock> artifacts)
    {
        var decoded = BodyDecoder.Decode(body, QemuSourceSchema.Body, scope, diagnostics);
        var given = new Attributes(decoded, root, diagnostics);
        foreach (var refused in QemuSourceSchema.Refused.Where(given.IsSet))
            given.Error(refused, "Gantry does not carry this out yet, and leaving it out would change the result.");
        CheckPorts(given, "http_port_min", "http_port_max", 8000, 9000);
        CheckPorts(given, "host_port_min", "host_port_max", 2222, 4444);
        CheckPorts(given, "ssh_host_port_min", "ssh_host_port_max", 2222, 4444);
        var isa = ReadIsa(given);
        if (ReadBase(decoded, given, at) is not { } baseDefinition)
            return null;
        return new QemuSource
        {
            Name = name,
            Base = baseDefinition,
            Isa = isa,
            Accelerator = given.Text("accelerator"),
            MachineType = given.Text("machine_type"),
            CpuModel = given.Text("cpu_model"),
            Cpu = new CpuTopology
            {
                Count = Math.Max(1, given.Number("cpus", 1, 0, 1024)),
                Sockets = given.Number("sockets", 0, 0, 64),
                Cores = given.Number("cores", 0, 0, 1024),
                Threads = given.Number("threads", 0, 0, 8),
            },
            MemoryMiB = given.Number("memory", 512, 16, 16 << 20),
            Firmware = ReadFirmware(given),
            Tpm = given.Flag("vtpm")
                ? new TpmSpec { Version12 = given.Flag("use_tpm1"), Device = given.Text("tpm_device_type") }
                : null,
            DiskSizes = ReadDiskSizes(given, baseDefinition),
            DiskBus = ReadBus(given, "disk_interface"),
            CdromBus = ReadBus(given, "cdrom_interface"),
            DiskCache = given.Choice("disk_cache", "writeback",
                ("writethrough", "writethrough"), ("writeback", "writeback"), ("none", "none"), ("unsafe", "unsafe"), ("directsync", "directsync")),
            DiskDiscard = given.Choice("disk_discard", true, ("ignore", false), ("unmap", true)),
            DetectZeroes = given.Choice<string?>("disk_detect_zeroes", null, ("off", null), ("on", "on"), ("unmap", "unmap")),
            NetDevice = given.Text("net_device"),
            NetBridge = given.Text("net_bridge"),
            GraphicsAdapter = given.Text("vga"),
            KeyboardLayout = given.TextOr("keyboard_layout", "us"),
            QemuSwitches = given.Lists("qemuargs").Where(one => one.Length > 0)
                .Select(one => new QemuSwitch { Name = one[0], Value = one.Length > 1 ? string.Concat(one.Skip(1)) : null }).ToValueList(),
            Answers = ReadAnswers(given),
            Boot = ReadBoot(given, baseDefinition),
            Communicator = ReadCommunicator(given),
            ShutdownCommand = given.Text("shutdown_command"),
            ShutdownTimeout = given.Duration("shutdown_timeout") ?? TimeSpan.FromMinutes(5),
            Output = new ArtifactReader(root, diagnostics).Read(name, given, artifacts),
            Seal = given.MaybeFlag("seal"),
            UsesNetwork = given.Flag("uses_network"),
            MaxAge = given.Duration("max_age"),
        };
    }

    private static void CheckPorts(Attributes given, string min, string max, int usualMin, int usualMax)
    {
        var (from, to) = (given.Peek(min) ?? usualMin, given.Peek(max) ?? usualMax);
        if (from > to)
            given.Error(given.IsSet(max) ? max : min, $"No port is at least {min} = {from} and at most {max} = {to}.");
    }

    private static Isa HostIsa() =>
        System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64
            ? Isa.Aarch64 : Isa.X86_64;

    private static Isa ReadIsa(Attributes given)
    {
        if (given.Text("isa") is { } text)
        {
            if (IsaNames.TryParse(text, out var isa))
                return isa;
            given.Error("isa", $"Expected one of {string.Join(", ", Enum.GetValues<Isa>().Select(one => one.Name()))}, found \"{text}\".");
        }
        else if (given.Text("qemu_binary") is { } binary)
        {
            // A stock template names its ISA only so.
            var name = Path.GetFileName(binary).Replace("qemu-system-", "", StringComparison.Ordinal);
            if (IsaNames.TryParse(name, out var isa))
                return isa;
            given.Error("qemu_binary", "Expected a program named qemu-system-ISA; Gantry finds it by the ISA.");
        }

        return HostIsa();
    }

    private BaseDefinition? ReadBase(DecodedBody decoded, Attributes given, SourceSpan at)
    {
        if (decoded.Attributes.TryGetValue("base", out var attribute))
        {
            if (References.AsTraversal(attribute.Definition.Expression) is { Root: "template" } traversal && traversal.NameAt(0) is { } template)
                return new BaseDefinition.Template(template);
            if (decoded.Text("base") is { } text && text.StartsWith("template.", StringComparison.Ordinal))
                return new BaseDefinition.Template(text["template.".Length..]);
            given.Error("base", "Expected a template of the local store: base = template.NAME.");
            return null;
        }

        var urls = given.Text("iso_url") is { } url ? new ValueList<string>().With(url) : given.Texts("iso_urls");
        var checksum = given.TextOr("iso_checksum", "");
        if (urls.Count > 0 && checksum.Length == 0)
            given.Missing("iso_checksum", "A download must be checked: give iso_checksum = \"sha256:...\", \"file:...\", or \"none\" to go without.", at);
        var iso = urls.Count > 0
            ? new BaseDefinition.Iso(urls, checksum) { TargetPath = given.FilePath("iso_target_path") } : null;
        if (iso is null && KernelFiles.FirstOrDefault(one => InAnIso(given.Text(one))) is { } lost)
            given.Error(lost, "It lies in an ISO, and the source names none: give iso_url and iso_checksum as well.");
        if (given.Text("kernel") is { } kernel)
            return new BaseDefinition.Kernel(InIso(given, kernel), given.Text("initrd") is { } initrd ? InIso(given, initrd) : null, given.TextOr("kernel_arguments", ""), iso);
        if (iso is null)
        {
            given.Missing("iso_url", "The source needs something to start from: iso_url, base = template.NAME, or kernel.", at);
            return null;
        }

        return given.Flag("disk_image") ? new BaseDefinition.DiskImage(urls, checksum) : iso;
    }

    private static bool InAnIso(string? path) => path is not null && path.StartsWith("iso:", StringComparison.Ordinal);

    private static string InIso(Attributes given, string path) => InAnIso(path) ? path : given.Absolute(path);

    private static FirmwareSpec ReadFirmware(Attributes given)
    {
        var code = given.FilePath("efi_firmware_code");
        var variables = given.FilePath("efi_firmware_vars");
        var efi = given.Flag("efi_boot") || code is not null || variables is not null || given.Flag("secure_boot");
        return new FirmwareSpec
        {
            Kind = efi ? FirmwareKind.Uefi : FirmwareKind.Default,
            SecureBoot = given.Flag("secure_boot"),
            CodeFile = code ?? given.FilePath("firmware"),
            VariablesFile = variables,
        };
    }

    private static ValueList<long> ReadDiskSizes(Attributes given, BaseDefinition baseDefinition)
    {
        var first = given.Size("disk_size");
        var more = given.Texts("disk_additional_size").Select(text => given.SizeOf("disk_additional_size", text)).OfType<long>();
        // An image or a template brings its own size; only a new disk needs one.
        var own = baseDefinition is BaseDefinition.DiskImage or BaseDefinition.Template ? 0 : DefaultDiskSize;
        return [first ?? own, .. more];
    }

    private static DiskBus ReadBus(Attributes given, string name) => given.Choice(name, DiskBus.Default,
        ("virtio", DiskBus.Virtio), ("virtio-scsi", DiskBus.Scsi), ("scsi", DiskBus.Scsi), ("ide", DiskBus.Ide),
        ("sata", DiskBus.Sata), ("nvme", DiskBus.Nvme));

    private static AnswerOptions ReadAnswers(Attributes given) => new()
    {
        HttpDirectory = given.FilePath("http_directory"),
        HttpContent = given.Contents("http_content"),
        HttpPortMin = given.Number("http_port_min", 8000, 1, 65535),
        HttpPortMax = given.Number("http_port_max", 9000, 1, 65535),
        HttpBindAddress = given.TextOr("http_bind_address", "127.0.0.1"),
        CdFiles = given.FilePaths("cd_files"),
        CdContent = given.Contents("cd_content"),
        CdLabel = given.TextOr("cd_label", "packer"),
        FloppyFiles = given.FilePaths("floppy_files"),
        FloppyDirs = given.FilePaths("floppy_dirs"),
        FloppyContent = given.Contents("floppy_content"),
        FloppyLabel = given.TextOr("floppy_label", "packer"),
    };

    private static BootOptions ReadBoot(Attributes given, BaseDefinition baseDefinition)
    {
        var command = given.Texts("boot_command");
        // With nothing to type there is nothing to wait for.
        var wait = given.Duration("boot_wait") ?? (command.Count > 0 ? TimeSpan.FromSeconds(10) : TimeSpan.Zero);
        if (baseDefinition is BaseDefinition.Kernel && command.Count == 0)
            wait = TimeSpan.Zero;
        return new BootOptions
        {
            Command = command,
            Wait = wait > TimeSpan.Zero ? wait : TimeSpan.Zero,
            KeyInterval = given.Duration("boot_key_interval"),
            KeyGroupInterval = given.Duration("boot_keygroup_interval"),
        };
    }

    private static CommunicatorOptions ReadCommunicator(Attributes given) => new()
    {
        Kind = given.Choice("communicator", CommunicatorKind.Ssh, ("ssh", CommunicatorKind.Ssh), ("none", CommunicatorKind.None)),
        User = given.TextOr("ssh_username", "root"),
        Password = given.Text("ssh_password"),
        PrivateKeyFile = given.FilePath("ssh_private_key_file"),
        GuestPort = given.Number("ssh_port", 22, 1, 65535),
        Timeout = given.Duration("ssh_timeout") ?? given.Duration("ssh_wait_timeout") ?? TimeSpan.FromMinutes(5),
        PauseBeforeConnecting = given.Duration("pause_before_connecting") ?? TimeSpan.Zero,
        HostPortMin = given.Number("host_port_min", given.Number("ssh_host_port_min", 2222, 1, 65535), 1, 65535),
        HostPortMax = given.Number("host_port_max", given.Number("ssh_host_port_max", 4444, 1, 65535), 1, 65535),
        Pty = given.Flag("ssh_pty"),
        Host = given.Text("ssh_host"),
    };
}
