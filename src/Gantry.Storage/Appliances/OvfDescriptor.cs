using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Storage.Appliances;

/// <summary>What an OVF descriptor (DSP0243) says of its one machine, as it says it.</summary>
public sealed record OvfDescriptor
{
    /// <summary>The machine's name, for people; null where it has none.</summary>
    public string? Name { get; init; }

    public string? Annotation { get; init; }

    public ValueList<OvfFile> Files { get; init; } = [];

    public ValueList<OvfDisk> Disks { get; init; } = [];

    public ValueList<OvfItem> Items { get; init; } = [];

    /// <summary>The guest's system in the words of VMware (<c>debian10_64Guest</c>), VirtualBox (<c>Debian_64</c>) or
    /// the descriptor's author; null where nothing is said.</summary>
    public string? Guest { get; init; }

    public FirmwareKind Firmware { get; init; }

    public bool SecureBoot { get; init; }

    /// <summary>A TPM 2.0.</summary>
    public bool Tpm { get; init; }

    /// <summary>Sections that it has and that say nothing which a machine could keep.</summary>
    public ValueList<string> OtherSections { get; init; } = [];
}

/// <summary>A file that belongs to the package.</summary>
/// <param name="Id">What disks and drives name it by.</param>
/// <param name="Name">In the package.</param>
/// <param name="Size">Bytes; null where it is not said.</param>
public sealed record OvfFile(string Id, string Name, long? Size);

/// <summary>A disk, with or without content.</summary>
/// <param name="Id">What drives name it by.</param>
/// <param name="FileId">The file with its content; null for an empty disk.</param>
/// <param name="Capacity">Bytes.</param>
/// <param name="Unit">Bytes; the capacity was given as a multiple of it.</param>
public sealed record OvfDisk(string Id, string? FileId, long Capacity, long Unit);

/// <summary>One piece of the machine's hardware: a CIM resource.</summary>
public sealed record OvfItem
{
    public required string Id { get; init; }

    /// <summary>CIM's number of the kind of resource; see <see cref="OvfResource"/>.</summary>
    public required int Type { get; init; }

    public string SubType { get; init; } = "";

    /// <summary>The item that it is attached to.</summary>
    public string? Parent { get; init; }

    public int AddressOnParent { get; init; }

    /// <summary>For people.</summary>
    public string Name { get; init; } = "";

    public long? Quantity { get; init; }

    /// <summary>Bytes in one of the quantity, for memory; 1 where no unit is given.</summary>
    public long Unit { get; init; } = 1;

    /// <summary><c>ovf:/disk/ID</c> or <c>ovf:/file/ID</c>.</summary>
    public string? HostResource { get; init; }

    /// <summary>A network's name.</summary>
    public string? Connection { get; init; }

    public int? CoresPerSocket { get; init; }
}

/// <summary>CIM_ResourceAllocationSettingData.ResourceType.</summary>
public static class OvfResource
{
    public const int Processor = 3;
    public const int Memory = 4;
    public const int Ide = 5;
    public const int Scsi = 6;
    public const int Ethernet = 10;
    public const int Floppy = 14;
    public const int Cd = 15;
    public const int Dvd = 16;
    public const int Disk = 17;
    public const int OtherStorage = 20;
    public const int SerialPort = 21;
    public const int ParallelPort = 22;
    public const int Usb = 23;
    public const int Graphics = 24;
    public const int Sound = 35;
}
