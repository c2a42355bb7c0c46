using System.Globalization;
using System.Text;
using System.Xml;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Storage.Appliances;

/// <summary>A disk as an OVF describes it.</summary>
/// <param name="FileName">Within the package: a VMDK of the kind streamOptimized.</param>
/// <param name="FileBytes">The file's length.</param>
/// <param name="Capacity">What the guest sees, in bytes.</param>
/// <param name="Bus">How the machine has it.</param>
public sealed record OvfDiskFile(string FileName, long FileBytes, long Capacity, DiskBus Bus);

/// <summary>
/// Writes OVF descriptors of version 1 as VirtualBox and VMware read them: elements of an item in the order of their
/// names, which VMware's schema demands. What neither has (virtio) becomes what every version of both takes and most
/// guests know: LSI Logic's SCSI controller and E1000. Older versions of VirtualBox take no AHCI controller by
/// VMware's name for it.
/// </summary>
public static class OvfWriter
{
    private const string Ovf = "http://schemas.dmtf.org/ovf/envelope/1";
    private const string Rasd = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData";
    private const string Vssd = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData";
    private const string Vmw = "http://www.vmware.com/schema/ovf";
    private const string StreamOptimized = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized";
    private const string Network = "nat";

    /// <summary>The descriptor, in UTF-8.</summary>
    /// <param name="spec">The machine; its disks are not looked at.</param>
    /// <param name="disks">In the machine's order.</param>
    /// <exception cref="ProblemException">Neither VirtualBox nor VMware has such machines.</exception>
    public static byte[] Write(MachineSpec spec, IReadOnlyList<OvfDiskFile> disks)
    {
        CheckIsa(spec.Isa);
        using var buffer = new MemoryStream();
        var settings = new XmlWriterSettings
        {
            Indent = true,
            Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            NewLineChars = "\n",
        };
        using (var xml = XmlWriter.Create(buffer, settings))
        {
            xml.WriteStartElement("Envelope", Ovf);
            foreach (var (prefix, name) in new[] { ("ovf", Ovf), ("rasd", Rasd), ("vssd", Vssd), ("vmw", Vmw) })
                xml.WriteAttributeString("xmlns", prefix, null, name);
            WriteReferences(xml, disks);
            WriteDisks(xml, disks);
            WriteNetworks(xml);
            WriteSystem(xml, spec, disks);
            xml.WriteEndElement();
        }

        return buffer.ToArray();
    }

    /// <exception cref="ProblemException">Neither VirtualBox nor VMware has such machines.</exception>
    public static void CheckIsa(Isa isa)
    {
        if (isa is Isa.X86_64 or Isa.I386 or Isa.Aarch64)
            return;
        throw new ProblemException(
            ProblemKind.InvalidInput, $"an OVA describes machines of x86 and ARM, not of {isa.Name()}",
            "export the disk alone: --format qcow2");
    }

    private static void WriteReferences(XmlWriter xml, IReadOnlyList<OvfDiskFile> disks)
    {
        xml.WriteStartElement("References", Ovf);
        for (var i = 0; i < disks.Count; i++)
        {
            xml.WriteStartElement("File", Ovf);
            Attribute(xml, "href", disks[i].FileName);
            Attribute(xml, "id", $"file{i + 1}");
            Attribute(xml, "size", Text(disks[i].FileBytes));
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void WriteDisks(XmlWriter xml, IReadOnlyList<OvfDiskFile> disks)
    {
        xml.WriteStartElement("DiskSection", Ovf);
        Element(xml, "Info", "The disks");
        for (var i = 0; i < disks.Count; i++)
        {
            xml.WriteStartElement("Disk", Ovf);
            Attribute(xml, "capacity", Text(disks[i].Capacity));
            Attribute(xml, "capacityAllocationUnits", "byte");
            Attribute(xml, "diskId", $"disk{i + 1}");
            Attribute(xml, "fileRef", $"file{i + 1}");
            Attribute(xml, "format", StreamOptimized);
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void WriteNetworks(XmlWriter xml)
    {
        xml.WriteStartElement("NetworkSection", Ovf);
        Element(xml, "Info", "The networks");
        xml.WriteStartElement("Network", Ovf);
        Attribute(xml, "name", Network);
        Element(xml, "Description", "A network with a way out");
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static void WriteSystem(XmlWriter xml, MachineSpec spec, IReadOnlyList<OvfDiskFile> disks)
    {
        xml.WriteStartElement("VirtualSystem", Ovf);
        Attribute(xml, "id", spec.Name);
        Element(xml, "Info", "A machine");
        Element(xml, "Name", spec.Name);
        // CIM's numbers: another system, of 32 or 64 bits.
        var (number, guest) = spec.Isa switch
        {
            Isa.Aarch64 => (102, "arm-other-64Guest"),
            Isa.I386 => (1, "otherGuest"),
            _ => (102, "otherGuest64"),
        };
        xml.WriteStartElement("OperatingSystemSection", Ovf);
        Attribute(xml, "id", Text(number));
        xml.WriteAttributeString("vmw", "osType", Vmw, guest);
        Element(xml, "Info", "The kind of guest");
        xml.WriteEndElement();
        if (spec.Notes.Length > 0)
        {
            xml.WriteStartElement("AnnotationSection", Ovf);
            Element(xml, "Info", "Notes");
            Element(xml, "Annotation", Sayable(spec.Notes));
            xml.WriteEndElement();
        }

        WriteHardware(xml, spec, disks);
        xml.WriteEndElement();
    }

    private static void WriteHardware(XmlWriter xml, MachineSpec spec, IReadOnlyList<OvfDiskFile> disks)
    {
        xml.WriteStartElement("VirtualHardwareSection", Ovf);
        Element(xml, "Info", "The hardware");
        xml.WriteStartElement("System", Ovf);
        xml.WriteElementString("ElementName", Vssd, "Virtual Hardware Family");
        xml.WriteElementString("InstanceID", Vssd, "0");
        xml.WriteElementString("VirtualSystemIdentifier", Vssd, spec.Name);
        xml.WriteElementString("VirtualSystemType", Vssd, "vmx-13");
        xml.WriteEndElement();
        foreach (var item in Items(spec, disks))
        {
            xml.WriteStartElement("Item", Ovf);
            foreach (var (name, value) in item.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                xml.WriteElementString(name, Rasd, value);
            if (item["ResourceType"] == Text(OvfResource.Processor) && CoresPerSocket(spec.Cpu) is { } cores)
            {
                xml.WriteStartElement("CoresPerSocket", Vmw);
                Attribute(xml, "required", "false");
                xml.WriteString(Text(cores));
                xml.WriteEndElement();
            }

            xml.WriteEndElement();
        }

        if (spec.Firmware.Kind == FirmwareKind.Uefi)
            Config(xml, "firmware", "efi");
        if (spec.Firmware is { Kind: FirmwareKind.Uefi, SecureBoot: true })
            Config(xml, "bootOptions.efiSecureBootEnabled", "true");
        xml.WriteEndElement();
    }

    private static IEnumerable<Dictionary<string, string>> Items(MachineSpec spec, IReadOnlyList<OvfDiskFile> disks)
    {
        var id = 0;
        Dictionary<string, string> Item(int type, string name) => new()
        {
            // Old versions of VirtualBox read the one, VMware the other.
            ["Caption"] = name,
            ["ElementName"] = name,
            ["InstanceID"] = Text(++id),
            ["ResourceType"] = Text(type),
        };

        var cpu = Item(OvfResource.Processor, $"{spec.Cpu.Count} virtual CPUs");
        cpu["AllocationUnits"] = "hertz * 10^6";
        cpu["VirtualQuantity"] = Text(spec.Cpu.Count);
        yield return cpu;
        var memory = Item(OvfResource.Memory, $"{spec.MemoryMiB} MiB of memory");
        memory["AllocationUnits"] = "byte * 2^20";
        memory["VirtualQuantity"] = Text(spec.MemoryMiB);
        yield return memory;

        // Controllers by what goes on them: (type, number of the controller of that type).
        var controllers = new Dictionary<(int Type, int Number), string>();
        var used = new Dictionary<(int Type, int Number), int>();
        var drives = new List<Dictionary<string, string>>();
        for (var i = 0; i < disks.Count; i++)
        {
            var type = TypeOf(disks[i].Bus);
            // An IDE channel has two places; of the others' places some are left for CDs.
            var places = type == OvfResource.Ide ? 2 : 14;
            var number = disks.Take(i).Count(other => TypeOf(other.Bus) == type) / places;
            if (!controllers.TryGetValue((type, number), out var parent))
            {
                var controller = Item(type, $"{Words(type)} controller {number}");
                if (type == OvfResource.Scsi)
                    controller["ResourceSubType"] = "lsilogic";
                if (type == OvfResource.OtherStorage)
                    controller["ResourceSubType"] = "vmware.sata.ahci";
                controller["Address"] = Text(number);
                controllers[(type, number)] = parent = controller["InstanceID"];
                yield return controller;
            }

            var place = used.GetValueOrDefault((type, number));
            used[(type, number)] = place + 1;
            var drive = Item(OvfResource.Disk, $"Hard disk {i + 1}");
            // A SCSI controller is itself at place 7.
            drive["AddressOnParent"] = Text(type == OvfResource.Scsi && place >= 7 ? place + 1 : place);
            drive["HostResource"] = $"ovf:/disk/disk{i + 1}";
            drive["Parent"] = parent;
            drives.Add(drive);
        }

        foreach (var drive in drives)
            yield return drive;
        for (var i = 0; i < spec.NetworkCards.Count; i++)
        {
            var card = Item(OvfResource.Ethernet, $"Network card {i + 1}");
            card["AddressOnParent"] = Text(i);
            card["AutomaticAllocation"] = "true";
            card["Connection"] = Network;
            card["ResourceSubType"] = spec.NetworkCards[i].Device switch
            {
                "e1000e" => "E1000e",
                "vmxnet3" => "VmxNet3",
                "pcnet" => "PCNet32",
                _ => "E1000",
            };
            yield return card;
        }
    }

    /// <summary>The text without the characters that XML has no way to say.</summary>
    private static string Sayable(string text) => string.Concat(
        text.EnumerateRunes().Where(rune => !rune.IsBmp || XmlConvert.IsXmlChar((char)rune.Value)).Select(
            rune => rune.ToString()));

    private static int TypeOf(DiskBus bus) => bus switch
    {
        DiskBus.Ide => OvfResource.Ide,
        DiskBus.Sata => OvfResource.OtherStorage,
        DiskBus.Default or DiskBus.Virtio or DiskBus.Scsi or DiskBus.Nvme => OvfResource.Scsi,
    };

    private static string Words(int type) => type switch
    {
        OvfResource.Ide => "IDE",
        OvfResource.Scsi => "SCSI",
        _ => "SATA",
    };

    private static int? CoresPerSocket(CpuTopology cpu) =>
        cpu.Cores > 0 ? cpu.Cores * Math.Max(cpu.Threads, 1) is var cores && cpu.Count % cores == 0 ? cores : null
            : null;

    private static void Config(XmlWriter xml, string key, string value)
    {
        xml.WriteStartElement("vmw", "Config", Vmw);
        Attribute(xml, "required", "false");
        xml.WriteAttributeString("vmw", "key", Vmw, key);
        xml.WriteAttributeString("vmw", "value", Vmw, value);
        xml.WriteEndElement();
    }

    private static void Element(XmlWriter xml, string name, string text) => xml.WriteElementString(name, Ovf, text);

    private static void Attribute(XmlWriter xml, string name, string value) => xml.WriteAttributeString(
        "ovf", name, Ovf, value);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
