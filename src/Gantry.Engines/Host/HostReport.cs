using System.Globalization;
using System.Runtime.InteropServices;
using Gantry.Engines.Linux;
using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Host;

/// <summary>How machines of one ISA would run here.</summary>
public sealed record IsaReport
{
    public required Isa Isa { get; init; }

    /// <summary>null when QEMU for it is not installed.</summary>
    public string? QemuVersion { get; init; }

    /// <summary>null when QEMU for it is not installed.</summary>
    public Accelerator? Accelerator { get; init; }

    /// <summary>Why it runs so, or why it can't run.</summary>
    public required string Reason { get; init; }

    /// <summary>What installs what is missing, a line for each distribution; empty when nothing is.</summary>
    public string Install { get; init; } = "";

    /// <summary>UEFI firmware for it is installed.</summary>
    public bool HasUefi { get; init; }
}

/// <summary>A file system that Gantry writes to.</summary>
public sealed record SpaceReport(string Folder, long FreeBytes, long TotalBytes);

/// <summary>What this host is and can do, with reasons: what <c>gantry doctor</c> shows.</summary>
public sealed record HostReport
{
    public required CpuFacts Cpu { get; init; }

    public required HypervisorFacts Hypervisor { get; init; }

    /// <summary>none, not accessible, or accessible: what /dev/kvm looks like before anything was tried.</summary>
    public required string KvmDevice { get; init; }

    /// <summary>Whether guest code of the host's own ISA really ran in KVM.</summary>
    public required KvmVerdict Kvm { get; init; }

    /// <summary>The hypervisor that machines here run on, with its type in words.</summary>
    public required string HypervisorType { get; init; }

    public required ValueList<IsaReport> Isas { get; init; }

    public required long MemoryBytes { get; init; }

    public required long MemoryAvailableBytes { get; init; }

    public required string KernelRelease { get; init; }

    public required ControlGroupLayout ControlGroups { get; init; }

    /// <summary>What machines' control groups will be here.</summary>
    public required string ControlGroupNote { get; init; }

    public required ValueList<SpaceReport> Space { get; init; }

    /// <summary>The lowest port that this user may publish.</summary>
    public required int LowestPort { get; init; }

    /// <param name="folders">Whose free space matters; missing ones are looked at through their nearest parent.</param>
    public static async Task<HostReport> GatherAsync(
        QemuHost host, KvmProbe probe, IReadOnlyList<string> folders, CancellationToken cancellationToken = default)
    {
        var architecture = KvmProbe.HostName(RuntimeInformation.OSArchitecture);
        var cpu = CpuFacts.Parse(architecture, await ReadAsync("/proc/cpuinfo", cancellationToken).ConfigureAwait(false));
        var hypervisor = HypervisorFacts.OfHost(cpu);
        var own = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? Isa.Aarch64 : Isa.X86_64;
        var kvm = QemuHost.TryFindBinary(own) is null
            ? new KvmVerdict(false, KvmProbe.Refusal(own) ?? "QEMU is not installed, so KVM could not be tried")
            : await probe.AskAsync(own, cancellationToken).ConfigureAwait(false);
        var isas = new List<IsaReport>();
        foreach (var isa in Enum.GetValues<Isa>())
            isas.Add(await OfIsaAsync(isa, host, probe, cancellationToken).ConfigureAwait(false));
        var memory = await ReadAsync("/proc/meminfo", cancellationToken).ConfigureAwait(false);
        return new HostReport
        {
            Cpu = cpu,
            Hypervisor = hypervisor,
            KvmDevice = DeviceState(),
            Kvm = kvm,
            HypervisorType = TypeOf(kvm, hypervisor),
            Isas = [.. isas],
            MemoryBytes = MemoryField(memory, "MemTotal:"),
            MemoryAvailableBytes = MemoryField(memory, "MemAvailable:"),
            KernelRelease = (await ReadAsync("/proc/sys/kernel/osrelease", cancellationToken).ConfigureAwait(false)).Trim(),
            ControlGroups = ControlGroup.Layout(),
            ControlGroupNote = GroupNote(),
            Space = [.. folders.Select(SpaceOf)],
            LowestPort = Environment.IsPrivilegedProcess ? 1 : await LowestPortAsync(cancellationToken).ConfigureAwait(false),
        };
    }

    /// <summary>Type 1 runs on the hardware itself, type 2 as a program of an operating system.</summary>
    internal static string TypeOf(KvmVerdict kvm, HypervisorFacts hypervisor)
    {
        var nested = hypervisor.Present
            ? $"; nested, since this host is itself a guest{(hypervisor.Name is { } name ? $" of {name}" : "")}" : "";
        return kvm.Works
            ? "KVM, type 1: the Linux kernel itself is the hypervisor, guest code runs on the CPU between VM entry "
                + $"and VM exit{nested}"
            : "QEMU's TCG, type 2: an ordinary program that translates guest code, block by block, "
                + $"without any help of the CPU{nested}";
    }

    private static async Task<IsaReport> OfIsaAsync(
        Isa isa, QemuHost host, KvmProbe probe, CancellationToken cancellationToken)
    {
        var profile = IsaProfiles.For(isa);
        if (QemuHost.TryFindBinary(isa) is null)
        {
            return new IsaReport
            {
                Isa = isa,
                Reason = $"{profile.Binary} is not installed",
                Install = profile.Package.InstallLine(),
            };
        }
        var choice = await AcceleratorChoice.ForAsync(isa, probe, null, cancellationToken).ConfigureAwait(false);
        return new IsaReport
        {
            Isa = isa,
            QemuVersion = host.Binary(isa).Version,
            Accelerator = choice.Accelerator,
            Reason = choice.Reason,
            HasUefi = HasUefi(isa, host, profile),
        };
    }

    private static bool HasUefi(Isa isa, QemuHost host, IsaProfile profile)
    {
        try
        {
            return host.Firmware(isa, new FirmwareSpec { Kind = FirmwareKind.Uefi }, profile.UefiMachineType) is not null;
        }
        catch (ProblemException)
        {
            return false;
        }
    }

    private static string DeviceState()
    {
        const string device = "/dev/kvm";
        const int readAndWrite = 6;
        return !File.Exists(device) ? "there is no /dev/kvm"
            : Libc.Access(device, readAndWrite) == 0 ? "/dev/kvm is there and may be opened"
            : "/dev/kvm is there, but this user may not open it";
    }

    private static string GroupNote()
    {
        var folders = ControlGroup.WritableParents();
        return folders.Count == 0
            ? "machines run in the group of the command that starts them: no other may be written by this user"
            : $"each machine gets groups of its own under {string.Join(", ", folders)}";
    }

    private static SpaceReport SpaceOf(string folder)
    {
        var existing = Path.GetFullPath(folder);
        while (!Directory.Exists(existing))
            existing = Path.GetDirectoryName(existing)!;
        var drive = new DriveInfo(existing);
        return new SpaceReport(folder, drive.AvailableFreeSpace, drive.TotalSize);
    }

    private static async Task<int> LowestPortAsync(CancellationToken cancellationToken)
    {
        var text = await ReadAsync("/proc/sys/net/ipv4/ip_unprivileged_port_start", cancellationToken).ConfigureAwait(false);
        return int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? Math.Max(port, 1) : 1024;
    }

    internal static long MemoryField(string meminfo, string name)
    {
        var line = meminfo.Split('\n').FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        var number = line?[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var kib) ? kib * 1024 : 0;
    }

    private static async Task<string> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
