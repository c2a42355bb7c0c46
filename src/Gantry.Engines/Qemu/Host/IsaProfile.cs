using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu;

/// <summary>The kinds of QEMU machine whose devices differ.</summary>
public enum MachineFamily
{
    /// <summary>i440FX with a PATA controller (<c>pc</c>).</summary>
    Pc,

    /// <summary>Q35 with an AHCI controller and PCI Express (<c>q35</c>).</summary>
    Q35,

    /// <summary>ARM's and RISC-V's <c>virt</c>.</summary>
    Virt,

    /// <summary>POWER's <c>pseries</c>.</summary>
    Pseries,

    /// <summary>Anything else that the user named; treated as a PCI machine without built-in disk controllers.</summary>
    Other,
}

/// <summary>What a guest of one instruction set needs from QEMU when its spec leaves that open.</summary>
public sealed record IsaProfile
{
    public required Isa Isa { get; init; }

    /// <summary>QEMU's program, such as <c>qemu-system-x86_64</c>.</summary>
    public required string Binary { get; init; }

    public required HostPackage Package { get; init; }

    /// <summary>The package of this ISA's UEFI firmware; null where no distribution has one.</summary>
    public HostPackage? FirmwarePackage { get; init; }

    /// <summary>The machine type's alias, such as <c>pc</c>, to be pinned to a version.</summary>
    public required string MachineType { get; init; }

    /// <summary>The alias used with UEFI firmware.</summary>
    public required string UefiMachineType { get; init; }

    /// <summary>The CPU model on TCG.</summary>
    public required string TcgCpu { get; init; }

    /// <summary>The CPU model on KVM.</summary>
    public string KvmCpu { get; init; } = "host";

    /// <summary>What <see cref="FirmwareKind.Default"/> means when the machine boots from its devices.</summary>
    public required FirmwareKind Firmware { get; init; }

    /// <summary>The name of QEMU's architecture in firmware descriptors.</summary>
    public required string FirmwareArchitecture { get; init; }

    /// <summary>The serial console in a Linux guest: ttyS0, ttyAMA0, hvc0.</summary>
    public required string SerialDevice { get; init; }

    /// <summary>The network card's device.</summary>
    public string NetworkDevice { get; init; } = "virtio-net-pci";

    /// <summary>The graphics adapter's device.</summary>
    public required string GraphicsAdapter { get; init; }

    /// <summary>PC keyboard controller present; otherwise the keyboard is on USB.</summary>
    public bool HasI8042 { get; init; }

    /// <summary>Has QEMU's VM generation id device.</summary>
    public bool HasGenerationId { get; init; }

    /// <summary>The TPM's device.</summary>
    public string? TpmDevice { get; init; }

    /// <summary>Firmware takes the order of boot devices from <c>-boot</c>, and <c>once=</c> works.</summary>
    public bool HasBootOnce { get; init; }

    /// <summary>The family of a machine type, whether an alias or pinned.</summary>
    public static MachineFamily FamilyOf(string machineType) =>
        machineType is "q35" || machineType.StartsWith("pc-q35", StringComparison.Ordinal) ? MachineFamily.Q35
        : machineType is "pc" || machineType.StartsWith("pc-i440fx", StringComparison.Ordinal) ? MachineFamily.Pc
        : machineType is "virt" || machineType.StartsWith("virt-", StringComparison.Ordinal) ? MachineFamily.Virt
        : machineType.StartsWith("pseries", StringComparison.Ordinal) ? MachineFamily.Pseries
        : MachineFamily.Other;

    /// <summary>
    /// Where a disk goes that has no bus of its own: virtio, which every family has.
    /// </summary>
    public static DiskBus DiskBus(DiskBus asked) =>
        asked == Model.Machines.DiskBus.Default ? Model.Machines.DiskBus.Virtio : asked;

    /// <summary>
    /// Where a CD goes that has no bus of its own. A seed goes where Linux' cloud kernels, which have no AHCI driver,
    /// find it; installers (Windows' among them) bring AHCI but maybe no virtio. UEFI enables i440FX' PATA channels only
    /// when it looks for something to boot there; Linux takes those that it left alone for absent.
    /// </summary>
    public static DiskBus CdromBus(MachineFamily family, FirmwareKind firmware, CdromSpec cdrom)
    {
        if (cdrom.Bus != Model.Machines.DiskBus.Default)
            return cdrom.Bus;
        return family switch
        {
            MachineFamily.Pc => cdrom.Seed && firmware == FirmwareKind.Uefi ? Model.Machines.DiskBus.Scsi : Model.Machines.DiskBus.Ide,
            MachineFamily.Q35 => cdrom.Seed ? Model.Machines.DiskBus.Scsi : Model.Machines.DiskBus.Sata,
            MachineFamily.Virt or MachineFamily.Pseries or MachineFamily.Other => Model.Machines.DiskBus.Scsi,
        };
    }
}

/// <summary>The table of instruction sets.</summary>
public static class IsaProfiles
{
    private static readonly HostPackage X86 = new("qemu-system-x86", "qemu-system-x86-core", "qemu-system-x86");
    private static readonly HostPackage Arm = new("qemu-system-arm", "qemu-system-aarch64-core", "qemu-system-aarch64");
    private static readonly HostPackage Ppc = new("qemu-system-ppc", "qemu-system-ppc-core", "qemu-system-ppc");

    public static IReadOnlyList<IsaProfile> All { get; } =
        [.. Enum.GetValues<Isa>().Select(Make)];

    public static IsaProfile For(Isa isa) => All[(int)isa];

    /// <summary>What a firmware image and <c>qemu-img</c> come from, beside QEMU itself.</summary>
    public static HostPackage Tools { get; } = new("qemu-utils", "qemu-img", "qemu-img");

    public static HostPackage SoftwareTpm { get; } = new("swtpm", "swtpm", "swtpm");

    private static IsaProfile Make(Isa isa) => isa switch
    {
        Isa.X86_64 => Pc(isa, "qemu-system-x86_64", "x86_64"),
        Isa.I386 => Pc(isa, "qemu-system-i386", "i386"),
        Isa.Aarch64 => new IsaProfile
        {
            Isa = isa,
            Binary = "qemu-system-aarch64",
            Package = Arm,
            FirmwarePackage = new("qemu-efi-aarch64", "edk2-aarch64", "edk2-aarch64"),
            MachineType = "virt",
            UefiMachineType = "virt",
            // QARMA pointer authentication takes most of a guest kernel's time when translated.
            TcgCpu = "max,pauth-impdef=on",
            Firmware = FirmwareKind.Uefi,
            FirmwareArchitecture = "aarch64",
            SerialDevice = "ttyAMA0",
            GraphicsAdapter = "virtio-gpu-pci",
            TpmDevice = "tpm-tis-device",
        },
        Isa.Armhf => new IsaProfile
        {
            Isa = isa,
            Binary = "qemu-system-arm",
            Package = Arm with { Fedora = "qemu-system-arm-core", Arch = "qemu-system-arm" },
            FirmwarePackage = new("qemu-efi-arm", "edk2-arm", "edk2-arm"),
            MachineType = "virt",
            UefiMachineType = "virt",
            TcgCpu = "cortex-a15",
            Firmware = FirmwareKind.Uefi,
            FirmwareArchitecture = "arm",
            SerialDevice = "ttyAMA0",
            GraphicsAdapter = "virtio-gpu-pci",
            TpmDevice = "tpm-tis-device",
        },
        Isa.Ppc64 or Isa.Ppc64le => new IsaProfile
        {
            Isa = isa,
            Binary = "qemu-system-ppc64",
            Package = Ppc,
            MachineType = "pseries",
            UefiMachineType = "pseries",
            TcgCpu = "power9",
            Firmware = FirmwareKind.Default,
            FirmwareArchitecture = "ppc64",
            SerialDevice = "hvc0",
            GraphicsAdapter = "VGA",
            TpmDevice = "tpm-spapr",
            HasBootOnce = true,
        },
        Isa.Riscv64 => new IsaProfile
        {
            Isa = isa,
            Binary = "qemu-system-riscv64",
            Package = new("qemu-system-misc", "qemu-system-riscv-core", "qemu-system-riscv"),
            FirmwarePackage = new("qemu-efi-riscv64", "edk2-riscv64", null),
            MachineType = "virt",
            UefiMachineType = "virt",
            TcgCpu = "rv64",
            Firmware = FirmwareKind.Default,
            FirmwareArchitecture = "riscv64",
            SerialDevice = "ttyS0",
            GraphicsAdapter = "virtio-gpu-pci",
        },
    };

    private static IsaProfile Pc(Isa isa, string binary, string architecture) => new()
    {
        Isa = isa,
        Binary = binary,
        Package = X86,
        FirmwarePackage = isa == Isa.I386 ? new("ovmf-ia32", "edk2-ovmf-ia32", "edk2-ovmf")
            : new("ovmf", "edk2-ovmf", "edk2-ovmf"),
        MachineType = "pc",
        UefiMachineType = "q35",
        // Costs no more CPU time than qemu64 in a measured boot (within 5%), and guests built for x86-64-v2 and v3 run.
        TcgCpu = "max",
        Firmware = FirmwareKind.Bios,
        FirmwareArchitecture = architecture,
        SerialDevice = "ttyS0",
        GraphicsAdapter = "VGA",
        HasI8042 = true,
        HasGenerationId = true,
        TpmDevice = "tpm-tis",
        HasBootOnce = true,
    };
}
