using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Storage.Appliances;

/// <summary>Something of a package that the machine does not have, or has in another form.</summary>
/// <param name="Item">The package's name for it.</param>
/// <param name="Reason">What became of it, for people.</param>
public sealed record ApplianceRemark(string Item, string Reason);

/// <summary>A disk of the package and how the machine is to have it.</summary>
public sealed record MappedDisk(OvfDisk Disk, DiskBus Bus);

/// <summary>A package's hardware in our terms.</summary>
public sealed record MappedHardware
{
    /// <summary>Without a name and without disks.</summary>
    public required MachineSpec Spec { get; init; }

    /// <summary>In the order in which the machine is to see them; firmware starts the first.</summary>
    public required ValueList<MappedDisk> Disks { get; init; }

    /// <summary>What could not be mapped, or only to something else.</summary>
    public required ValueList<ApplianceRemark> Remarks { get; init; }
}

/// <summary>Maps what an OVF describes to what a machine can have. A pure function.</summary>
public static class OvfHardware
{
    private const int LeastMemoryMiB = 16;

    /// <param name="ovf">The descriptor.</param>
    /// <param name="bus">Where all disks are to go; null goes by the descriptor.</param>
    /// <exception cref="ProblemException">It has no disk, or names one that it does not describe.</exception>
    public static MappedHardware Map(OvfDescriptor ovf, DiskBus? bus)
    {
        var remarks = new List<ApplianceRemark>();
        var isa = IsaOf(ovf);
        var spec = new MachineSpec
        {
            Name = "",
            Isa = isa,
            Cpu = Cpu(ovf),
            MemoryMiB = Memory(ovf),
            Firmware = new FirmwareSpec
            {
                // What ARM starts with is UEFI whatever the descriptor calls it.
                Kind = isa == Isa.X86_64 ? ovf.Firmware : FirmwareKind.Default,
                SecureBoot = ovf.SecureBoot && ovf.Firmware == FirmwareKind.Uefi,
            },
            Tpm = ovf.Tpm ? new TpmSpec() : null,
            Cdroms = Cdroms(ovf, remarks),
            NetworkCards = Cards(ovf, isa, remarks),
            Notes = Notes(ovf),
        };
        var disks = Disks(ovf, bus, remarks);
        foreach (var item in ovf.Items)
            RemarkOn(item, remarks);
        foreach (var section in ovf.OtherSections)
            remarks.Add(new ApplianceRemark(section, "says nothing that a machine here could keep"));
        return new MappedHardware
        {
            Spec = spec,
            Disks = disks,
            Remarks = [.. remarks],
        };
    }

    private static bool IsWindows(OvfDescriptor ovf) =>
        ovf.Guest?.StartsWith("win", StringComparison.OrdinalIgnoreCase) == true
        || ovf.Guest?.Contains("Microsoft Windows", StringComparison.OrdinalIgnoreCase) == true;

    private static Isa IsaOf(OvfDescriptor ovf) =>
        ovf.Guest is { } guest && (guest.StartsWith("arm", StringComparison.OrdinalIgnoreCase)
            || guest.EndsWith("_arm64", StringComparison.OrdinalIgnoreCase)) ? Isa.Aarch64 : Isa.X86_64;

    private static CpuTopology Cpu(OvfDescriptor ovf)
    {
        var item = ovf.Items.FirstOrDefault(item => item.Type == OvfResource.Processor);
        var count = (int)Math.Clamp(item?.Quantity ?? 1, 1, int.MaxValue);
        return item?.CoresPerSocket is { } cores and > 1 && count % cores == 0
            ? new CpuTopology
            {
                Count = count,
                Sockets = count / cores,
                Cores = cores,
            }
            : new CpuTopology { Count = count };
    }

    private static int Memory(OvfDescriptor ovf)
    {
        var item = ovf.Items.FirstOrDefault(item => item.Type == OvfResource.Memory);
        if (item?.Quantity is not { } quantity)
            return new MachineSpec { Name = "", Isa = Isa.X86_64 }.MemoryMiB;
        // VirtualBox' old exports give MiB and no unit; nobody means that few bytes.
        var unit = item.Unit == 1 && quantity < 1 << 20 ? 1L << 20 : item.Unit;
        return OvfUnits.Multiply(quantity, unit) is { } bytes && bytes >> 20 <= int.MaxValue
            ? (int)Math.Max(bytes >> 20, LeastMemoryMiB)
            : throw new ProblemException(
                ProblemKind.InvalidInput, $"the package asks for an impossible memory: {quantity} times {unit} bytes");
    }

    private static string Notes(OvfDescriptor ovf)
    {
        const int Longest = 1000;
        var text = ovf.Annotation ?? "";
        return text.Length > Longest ? text[..Longest] + "..." : text;
    }

    private static ValueList<MappedDisk> Disks(OvfDescriptor ovf, DiskBus? bus, List<ApplianceRemark> remarks)
    {
        // Within a controller by their place on it, and controllers in the order in which they are described.
        var controllers = ovf.Items.Select(item => item.Id).ToList();
        var mapped = new List<MappedDisk>();
        foreach (var item in ovf.Items.Where(item => item.Type == OvfResource.Disk)
            .OrderBy(item => item.Parent is { } parent ? controllers.IndexOf(parent) : -1).ThenBy(
                item => item.AddressOnParent))
        {
            var id = Reference(item.HostResource, "disk");
            var disk = ovf.Disks.FirstOrDefault(disk => disk.Id == id) ?? throw new ProblemException(
                ProblemKind.InvalidInput,
                $"the package has a drive '{item.Name}' for a disk '{id ?? item.HostResource}' that it does not "
                    + "describe",
                "export the machine again");
            if (mapped.Any(other => other.Disk.Id == disk.Id))
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput, $"the package has two drives for the one disk '{disk.Id}'",
                    "export the machine again");
            }

            mapped.Add(new MappedDisk(disk, bus ?? BusOf(ovf, item, remarks)));
        }

        foreach (var disk in ovf.Disks.Where(disk => mapped.All(other => other.Disk.Id != disk.Id)))
            remarks.Add(new ApplianceRemark($"disk {disk.Id}", "left out: no drive has it"));
        return mapped.Count > 0
            ? [.. mapped]
            : throw new ProblemException(
                ProblemKind.InvalidInput, "the package has no disk to import", "export the machine with its disks");
    }

    private static DiskBus BusOf(OvfDescriptor ovf, OvfItem drive, List<ApplianceRemark> remarks)
    {
        var controller = ovf.Items.FirstOrDefault(item => item.Id == drive.Parent);
        switch (controller?.Type)
        {
            case OvfResource.Ide:
                return DiskBus.Ide;
            case OvfResource.Scsi when IsWindows(ovf):
                remarks.Add(new ApplianceRemark(
                    drive.Name,
                    $"is on SATA instead of SCSI ({Kind(controller)}): Windows has no driver for SCSI as machines "
                        + "here have it"));
                return DiskBus.Sata;
            case OvfResource.Scsi when controller.SubType.Contains("virtio", StringComparison.OrdinalIgnoreCase):
                return DiskBus.Scsi;
            case OvfResource.Scsi:
                remarks.Add(new ApplianceRemark(
                    drive.Name,
                    $"is on virtio's SCSI controller instead of {Kind(controller)}; a guest that does not find it: "
                        + "import with --bus sata"));
                return DiskBus.Scsi;
            case OvfResource.OtherStorage when controller.SubType.Contains("nvme", StringComparison.OrdinalIgnoreCase):
                return DiskBus.Nvme;
            case OvfResource.OtherStorage when controller.SubType.Contains(
                "virtio", StringComparison.OrdinalIgnoreCase):
                return DiskBus.Scsi;
            case OvfResource.OtherStorage:
                return DiskBus.Sata;
            default:
                remarks.Add(new ApplianceRemark(drive.Name, "is on SATA: its own controller is unknown"));
                return DiskBus.Sata;
        }
    }

    private static string Kind(OvfItem controller) => controller.SubType.Length > 0 ? controller.SubType
        : controller.Name;

    private static ValueList<CdromSpec> Cdroms(OvfDescriptor ovf, List<ApplianceRemark> remarks)
    {
        var drives = new List<CdromSpec>();
        foreach (var item in ovf.Items.Where(item => item.Type is OvfResource.Cd or OvfResource.Dvd))
        {
            drives.Add(new CdromSpec());
            if (item.HostResource is { Length: > 0 })
                remarks.Add(new ApplianceRemark(item.Name, "is empty: what was inserted is not imported"));
        }

        return [.. drives];
    }

    private static ValueList<NetworkCardSpec> Cards(OvfDescriptor ovf, Isa isa, List<ApplianceRemark> remarks)
    {
        var cards = new List<NetworkCardSpec>();
        foreach (var item in ovf.Items.Where(item => item.Type == OvfResource.Ethernet))
        {
            var (device, known) = Device(item.SubType, isa);
            cards.Add(new NetworkCardSpec
            {
                Mac = "",
                Device = device,
            });
            if (!known)
                remarks.Add(new ApplianceRemark(item.Name, $"is a virtio card instead of {item.SubType}"));
            if (item.Connection is { } network)
                remarks.Add(new ApplianceRemark(item.Name, $"is on the user-mode network instead of '{network}'"));
        }

        return [.. cards];
    }

    /// <summary>QEMU's card for another's name; null is the usual one.</summary>
    private static (string? Device, bool Known) Device(string name, Isa isa)
    {
        var word = name.Split('.')[^1].ToLowerInvariant();
        if (isa != Isa.X86_64)
            return (null, word.Length == 0 || word.StartsWith("virtio", StringComparison.Ordinal));
        return word switch
        {
            "" or "virtio" or "virtio-net" => (null, true),
            "e1000" => ("e1000", true),
            "e1000e" => ("e1000e", true),
            "vmxnet3" => ("vmxnet3", true),
            "pcnet32" or "pcnet" => ("pcnet", true),
            _ => (null, false),
        };
    }

    private static void RemarkOn(OvfItem item, List<ApplianceRemark> remarks)
    {
        var reason = item.Type switch
        {
            OvfResource.Processor or OvfResource.Memory or OvfResource.Ide or OvfResource.Scsi
                or OvfResource.OtherStorage
                or OvfResource.Ethernet or OvfResource.Cd or OvfResource.Dvd or OvfResource.Disk => null,
            OvfResource.Floppy => "left out: a floppy drive comes with a floppy",
            OvfResource.SerialPort => "left out: every machine has one serial port, its console",
            OvfResource.Usb => "left out: machines have no USB controller",
            OvfResource.Graphics => "left out: the machine has its ISA's usual graphics",
            OvfResource.Sound => "left out: machines have no sound",
            _ when item.SubType == "vmware.vtpm" => null,
            _ =>
                "left out: machines have nothing of the kind "
                    + $"({(item.SubType.Length > 0 ? item.SubType : $"resource type {item.Type}")})",
        };
        if (reason is not null)
            remarks.Add(new ApplianceRemark(item.Name, reason));
    }

    /// <summary>The id within <c>ovf:/disk/ID</c>, and the drafts' <c>/disk/ID</c>.</summary>
    private static string? Reference(string? resource, string kind)
    {
        var text = resource ?? "";
        if (text.StartsWith("ovf:", StringComparison.Ordinal))
            text = text[4..];
        return text.StartsWith($"/{kind}/", StringComparison.Ordinal) ? text[(kind.Length + 2)..] : null;
    }
}
