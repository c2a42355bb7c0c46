using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Storage.Appliances;

/// <summary>
/// Reads OVF descriptors (DSP0243 versions 1 and 2, and the drafts that VMware once wrote). Elements and attributes are
/// known by their local names, because writers differ in namespaces. Nothing outside the text is ever read.
/// </summary>
public static class OvfReader
{
    /// <summary>Bytes; VirtualBox' and VMware's have some ten thousand.</summary>
    public const int LargestSize = 4 << 20;

    private const int MostItems = 1024;

    private static readonly string[] KnownSections =
    [
        "VirtualHardwareSection", "OperatingSystemSection", "AnnotationSection", "Machine", "ProductSection",
        "EulaSection",
    ];

    /// <param name="content">The descriptor.</param>
    /// <param name="shown">What it is called in errors.</param>
    /// <exception cref="ProblemException">It is no OVF, or one that can't be taken.</exception>
    public static OvfDescriptor Read(ReadOnlyMemory<byte> content, string shown)
    {
        if (content.Length > LargestSize)
            throw Bad(shown, $"has {content.Length} bytes, too many for an OVF descriptor");
        var root = Parse(content, shown);
        if (root.Name.LocalName != "Envelope")
            throw Bad(shown, $"is no OVF descriptor: its root is {Cut(root.Name.LocalName)}, expected Envelope");
        var systems = root.Descendants().Where(element => element.Name.LocalName == "VirtualSystem").Take(2).ToList();
        // The first OVF drafts had <Content xsi:type="ovf:VirtualSystem_Type">.
        if (systems.Count == 0)
            systems = [.. Children(root, "Content").Take(2)];
        if (systems.Count != 1)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                systems.Count == 0 ? $"{shown} describes no machine" : $"{shown} describes several machines",
                systems.Count == 0 ? "check that the file is whole" : "export the machines one by one");
        }

        var system = systems[0];
        var hardware = Sections(system, "VirtualHardwareSection").FirstOrDefault()
            ?? throw Bad(shown, "says nothing of the machine's hardware");
        var box = Children(system, "Machine").FirstOrDefault();
        var files = Files(root, shown);
        return new OvfDescriptor
        {
            Name = NameOf(system, hardware),
            Annotation = Text(Sections(system, "AnnotationSection").FirstOrDefault(), "Annotation"),
            Files = files,
            Disks = Disks(root, files, shown),
            Items = Items(root, hardware, shown),
            Guest = GuestOf(system, box),
            Firmware = FirmwareOf(hardware, box),
            SecureBoot = Config(hardware, "bootOptions.efiSecureBootEnabled") == "true"
                || Attribute(Inner(box, "SecureBoot"), "enabled") == "true",
            Tpm = Attribute(Inner(box, "TrustedPlatformModule"), "type") is "v2_0" or "v1_2"
                || Children(hardware, "Item").Any(item => Text(item, "ResourceSubType") == "vmware.vtpm"),
            OtherSections = OtherSections(root, system),
        };
    }

    private static XElement Parse(ReadOnlyMemory<byte> content, string shown)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = LargestSize,
            MaxCharactersFromEntities = 1024,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
        };
        try
        {
            using var stream = new MemoryStream(content.ToArray(), writable: false);
            using var reader = new BoundedDepthReader(XmlReader.Create(stream, settings));
            return XElement.Load(reader);
        }
        catch (Exception e) when (e is XmlException or InvalidOperationException)
        {
            throw Bad(shown, $"is no XML that can be read: {Cut(e.Message)}", e);
        }
    }

    private static ValueList<OvfFile> Files(XElement root, string shown)
    {
        var files = new List<OvfFile>();
        foreach (var file in Children(Children(root, "References").FirstOrDefault(), "File"))
        {
            var id = Attribute(file, "id") ?? throw Bad(shown, "names a file without an id");
            var name = Attribute(file, "href") ?? throw Bad(shown, $"names no place of the file '{Cut(id)}'");
            name = name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
            if (!AppliancePackage.IsName(name))
                throw Bad(shown, $"takes a file from '{Cut(name)}', and may only take one of its own package");
            if (Attribute(file, "compression") is { Length: > 0 } compression && compression != "identity")
                throw Bad(shown, $"has its file {name} packed ({Cut(compression)}), which can't be read");
            if (Attribute(file, "chunkSize") is not null)
                throw Bad(shown, $"has its file {name} cut into chunks, which can't be read");
            if (files.Any(other => other.Id == id || other.Name == name))
                throw Bad(shown, $"names the file {name} twice");
            var size = Attribute(file, "size") is { Length: > 0 } text
                ? Number(text, $"the size of the file {name}", shown) : (long?)null;
            files.Add(new OvfFile(id, name, size));
            CheckCount(files.Count, "files", shown);
        }

        return [.. files];
    }

    private static ValueList<OvfDisk> Disks(XElement root, ValueList<OvfFile> files, string shown)
    {
        var disks = new List<OvfDisk>();
        foreach (var disk in Children(Sections(root, "DiskSection").FirstOrDefault(), "Disk"))
        {
            var id = Attribute(disk, "diskId") ?? throw Bad(shown, "has a disk without an id");
            if (disks.Any(other => other.Id == id))
                throw Bad(shown, $"has the disk '{Cut(id)}' twice");
            if (Attribute(disk, "parentRef") is { Length: > 0 })
                throw Bad(shown, $"has a disk '{Cut(id)}' that is only a layer over another disk");
            var file = Attribute(disk, "fileRef") is { Length: > 0 } named ? named : null;
            if (file is not null && files.All(other => other.Id != file))
                throw Bad(shown, $"has a disk '{Cut(id)}' whose file '{Cut(file)}' it does not name");
            var text = Attribute(disk, "capacity") ?? throw Bad(
                shown, $"does not say how large its disk '{Cut(id)}' is");
            var units = Attribute(disk, "capacityAllocationUnits");
            var unit = OvfUnits.Parse(units) ?? throw Bad(
                shown,
                $"gives the size of its disk '{Cut(id)}' in '{Cut(units!)}', which is no unit: expected for "
                    + "example byte * 2^30");
            var bytes = OvfUnits.Multiply(Number(text, $"the capacity of the disk '{Cut(id)}'", shown), unit);
            if (bytes is null or 0)
                throw Bad(shown, $"has a disk '{Cut(id)}' of an impossible size: {Cut(text)} times {unit} bytes");
            disks.Add(new OvfDisk(id, file, bytes.Value, unit));
            CheckCount(disks.Count, "disks", shown);
        }

        return [.. disks];
    }

    private static ValueList<OvfItem> Items(XElement root, XElement hardware, string shown)
    {
        var configuration = DefaultConfiguration(root);
        var items = new List<OvfItem>();
        foreach (var item in hardware.Elements().Where(
            item => item.Name.LocalName is "Item" or "StorageItem" or "EthernetPortItem"))
        {
            var configurations = Attribute(item, "configuration");
            if (configurations is not null && !configurations.Split(' ').Contains(configuration))
                continue;
            // A range: what is wanted is the item without a bound.
            if (Attribute(item, "bound") is { Length: > 0 } bound && bound != "normal")
                continue;
            items.Add(Item(item, shown));
            CheckCount(items.Count, "pieces of hardware", shown);
        }

        return [.. items];
    }

    private static OvfItem Item(XElement item, string shown)
    {
        var id = Text(item, "InstanceID") ?? Text(item, "InstanceId") ?? throw Bad(
            shown, "has hardware without an InstanceID");
        var type = (int)Math.Min(
            Number(Text(item, "ResourceType") ?? "0", $"the ResourceType of item {Cut(id)}", shown), int.MaxValue);
        var units = type == OvfResource.Memory ? Text(item, "AllocationUnits") : null;
        return new OvfItem
        {
            Id = id,
            Type = type,
            SubType = Text(item, "ResourceSubType") ?? "",
            Parent = Text(item, "Parent"),
            AddressOnParent = int.TryParse(
                Text(item, "AddressOnParent"), NumberStyles.None, CultureInfo.InvariantCulture, out var address)
                    ? address : 0,
            Name = Cut(Text(item, "ElementName") ?? Text(item, "Caption") ?? Text(item, "Description") ?? $"item {id}"),
            Quantity = Text(item, "VirtualQuantity") is { } quantity
                ? Number(quantity, $"the quantity of item {Cut(id)}", shown) : null,
            Unit = OvfUnits.Parse(units) ?? throw Bad(
                shown, $"gives the memory in '{Cut(units!)}', which is no unit: expected for example byte * 2^20"),
            HostResource = Text(item, "HostResource"),
            Connection = Text(item, "Connection"),
            CoresPerSocket = int.TryParse(
                Text(item, "CoresPerSocket"), NumberStyles.None, CultureInfo.InvariantCulture, out var cores) ? cores
                    : null,
        };
    }

    /// <summary>What the author offers as the usual choice of several sizes; null where there is no choice.</summary>
    private static string? DefaultConfiguration(XElement root)
    {
        var all = Children(Sections(root, "DeploymentOptionSection").FirstOrDefault(), "Configuration").ToList();
        var usual = all.FirstOrDefault(one => Attribute(one, "default") is "true" or "1") ?? all.FirstOrDefault();
        return Attribute(usual, "id");
    }

    private static string? NameOf(XElement system, XElement hardware) =>
        Text(Inner(hardware, "System"), "VirtualSystemIdentifier") ?? Text(system, "Name") ?? Attribute(system, "id");

    private static string? GuestOf(XElement system, XElement? box)
    {
        var section = Sections(system, "OperatingSystemSection").FirstOrDefault();
        return Attribute(box, "OSType") ?? Attribute(section, "osType") ?? Text(section, "OSType") ?? Text(
            section, "Description");
    }

    private static FirmwareKind FirmwareOf(XElement hardware, XElement? box)
    {
        var said = Config(hardware, "firmware") ?? Attribute(Inner(box, "Firmware"), "type");
        return said?.StartsWith("efi", StringComparison.OrdinalIgnoreCase) == true ? FirmwareKind.Uefi
            : FirmwareKind.Bios;
    }

    /// <summary>VMware's settings, beside the items.</summary>
    private static string? Config(XElement hardware, string key) => hardware.Elements()
        .Where(element => element.Name.LocalName is "Config" or "ExtraConfig" && Attribute(element, "key") == key)
        .Select(element => Attribute(element, "value")).FirstOrDefault();

    private static ValueList<string> OtherSections(XElement root, XElement system) =>
        system.Elements().Concat(root.Elements())
            .Select(element => element.Name.LocalName)
            .Where(name => name.EndsWith("Section", StringComparison.Ordinal)
                && name is not ("DiskSection" or "NetworkSection" or "DeploymentOptionSection")
                && !KnownSections.Contains(name))
            .Select(Cut).Distinct().Take(20).ToValueList();

    private static IEnumerable<XElement> Children(XElement? parent, string name) =>
        parent?.Elements().Where(element => element.Name.LocalName == name) ?? [];

    /// <summary>
    /// Sections by their name, or, in the drafts, by their type: <c>Section xsi:type="ovf:DiskSection_Type"</c>.
    /// </summary>
    private static IEnumerable<XElement> Sections(XElement parent, string name) =>
        parent.Elements().Where(element => element.Name.LocalName == name
            || (element.Name.LocalName == "Section"
                && Attribute(element, "type")?.EndsWith($"{name}_Type", StringComparison.Ordinal) == true));

    private static XElement? Inner(XElement? parent, string name) =>
        parent?.Descendants().FirstOrDefault(element => element.Name.LocalName == name);

    private static string? Text(XElement? parent, string name) =>
        Children(parent, name).Select(element => element.Value.Trim()).FirstOrDefault(text => text.Length > 0);

    private static string? Attribute(XElement? element, string name) =>
        element?.Attributes().FirstOrDefault(attribute => attribute.Name.LocalName == name
            && !attribute.IsNamespaceDeclaration)?.Value;

    private static long Number(string text, string what, string shown) =>
        long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Bad(shown, $"says '{Cut(text)}' for {what}, which is no number");

    private static void CheckCount(int count, string what, string shown)
    {
        if (count > MostItems)
            throw Bad(shown, $"has more than {MostItems} {what}");
    }

    private static string Cut(string text) => text.Length > 200 ? text[..200] + "..." : text;

    private static ProblemException Bad(string shown, string what, Exception? inner = null) =>
        new(ProblemKind.InvalidInput, $"{shown} {what}", "export the machine again, and check that the file is whole",
            inner: inner);
}
