using System.Security.Cryptography;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// Where everything of an image goes, computed before the first byte: system area, descriptors, the views' path
/// tables and folders, boot images, files, padding.
/// </summary>
internal sealed class IsoLayout
{
    // What mkisofs and xorriso pad with: some drives and drivers read ahead past the end and fail.
    private const int PaddingSectors = 150;

    // Boot images are held in memory for their checksum.
    private const int MaxBootImage = 64 << 20;

    private readonly IsoOptions _options;
    private readonly List<IsoItem> _files = [];

    private IsoLayout(IsoOptions options, IsoItem root)
    {
        _options = options;
        Primary = new IsoView(root, joliet: false, options.RockRidge, options.Timestamp);
        Joliet = options.Joliet ? new IsoView(root, joliet: true, rockRidge: false, options.Timestamp) : null;
    }

    public IsoView Primary { get; private set; }

    public IsoView? Joliet { get; private set; }

    public IsoItem? BiosImage { get; private set; }

    public IsoItem? EfiImage { get; private set; }

    public IsoItem? Catalog { get; private set; }

    /// <summary>Files with content, in the order of their sectors.</summary>
    public IReadOnlyList<IsoItem> Files => _files;

    public uint TotalSectors { get; private set; }

    public long TotalBytes => (long)TotalSectors * IsoConstants.SectorSize;

    public static IsoLayout Create(MediaTree tree, IsoOptions options)
    {
        IsoItem root = Convert(tree.Root, "");
        root.Parent = root;
        IsoItem? catalog = options.Boot is { } boot ? AddCatalog(root, tree, boot.CatalogPath) : null;
        return new IsoLayout(options, root) { Catalog = catalog }.Place(root);
    }

    /// <summary>Reads the BIOS image and patches it; makes the catalogue. Needs the addresses.</summary>
    public async Task GenerateAsync(CancellationToken cancellation)
    {
        if (Catalog is null || _options.Boot is not { } boot) return;
        Catalog.Generated = ElToritoCatalog.Build(BiosImage, EfiImage);
        if (BiosImage is null || !boot.BootInfoTable) return;
        var content = ((MediaNode.File)BiosImage.Node).Content;
        byte[] image = await content.ReadAllAsync(BiosImage.Path, MaxBootImage, cancellation).ConfigureAwait(false);
        ElToritoCatalog.PatchBootInfo(image, BiosImage.DataSector, BiosImage.Path);
        BiosImage.Generated = image;
    }

    /// <summary>
    /// Sixteen bytes that follow from label, time, names and sizes: for disk signatures and GUIDs, which must differ
    /// between images and yet be the same for the same input.
    /// </summary>
    public byte[] Identity()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{_options.VolumeLabel}\n{_options.Timestamp.UtcTicks}\n"));
        foreach (IsoItem file in _files)
            hash.AppendData(Encoding.UTF8.GetBytes($"{file.Path}\0{file.DataSector} {file.Length}\n"));
        return hash.GetHashAndReset()[..16];
    }

    private static IsoItem Convert(MediaTreeNode node, string name)
    {
        var item = new IsoItem(node.Path, name, node.Node);
        foreach ((string childName, MediaTreeNode child) in node.Children)
        {
            IsoItem converted = Convert(child, childName);
            converted.Parent = item;
            item.Children.Add(converted);
        }
        return item;
    }

    private static IsoItem AddCatalog(IsoItem root, MediaTree tree, string path)
    {
        string[] names = MediaTree.Split(path);
        string clean = string.Join('/', names);
        if (tree.Find(clean) is not null)
            throw new MediaException(
                $"'{clean}' is in the tree, but the boot catalogue goes there; choose another CatalogPath");
        IsoItem folder = root;
        foreach (string name in names[..^1])
        {
            folder = folder.Children.Find(child => child.IsDirectory && child.Name == name)
                ?? throw new MediaException($"the boot catalogue's folder for '{clean}' is not in the tree");
        }
        var content = MediaContent.FromFactory(IsoConstants.SectorSize, () => Stream.Null, "the boot catalogue");
        var catalog = new IsoItem(clean, names[^1], new MediaNode.File(content) { Permissions = MediaModes.File })
        {
            Parent = folder,
        };
        folder.Children.Add(catalog);
        folder.Children.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return catalog;
    }

    private IsoLayout Place(IsoItem root)
    {
        var all = Descendants(root).ToList();
        if (!_options.RockRidge && all.Find(item => item.Node is MediaNode.Symlink or MediaNode.Device) is { } special)
            throw new MediaException($"'{special.Path}' is a link or device, which needs RockRidge = true");
        BiosImage = Find(all, _options.Boot?.BiosImage, "BIOS boot image");
        EfiImage = Find(all, _options.Boot?.EfiImage, "EFI boot image");
        if (_options.Boot is not null && BiosImage is null && EfiImage is null)
            throw new MediaException("a bootable ISO needs a BIOS or an EFI boot image");

        // Primary descriptor, boot record, Joliet's descriptor, terminator.
        int descriptors = 2 + (Catalog is null ? 0 : 1) + (Joliet is null ? 0 : 1);
        uint sector = Primary.Allocate((uint)(IsoConstants.SystemAreaSectors + descriptors));
        if (Joliet is not null) sector = Joliet.Allocate(sector);
        return PlaceFiles(all, sector);
    }

    private IsoLayout PlaceFiles(List<IsoItem> all, uint firstSector)
    {
        // Boot parts come first: some firmwares read only the beginning of a medium well.
        IsoItem[] first = [.. new[] { Catalog, BiosImage, EfiImage }.OfType<IsoItem>().Distinct()];
        // Empty files point to a sector of their own: xorriso takes two files at one address for the same file, and one
        // at the boot catalogue's for the catalogue.
        bool anyEmpty = all.Exists(item => item.Node is MediaNode.File && item.Length == 0);
        long sector = firstSector + (anyEmpty ? 1 : 0);
        foreach (IsoItem item in first.Concat(all.Except(first)).Where(item => item.Node is MediaNode.File))
        {
            item.DataSector = item.Length == 0 ? firstSector : checked((uint)sector);
            if (item.Length == 0) continue;
            _files.Add(item);
            sector += (item.Length + IsoConstants.SectorSize - 1) / IsoConstants.SectorSize;
            if (sector > uint.MaxValue - PaddingSectors - 1024)
                throw new MediaException("the files need more than the 8 TiB that ISO 9660 can address");
        }
        sector += PaddingSectors;
        if (_options.Boot is { Hybrid: true }) sector = IsoBytes.RoundUp(sector, IsoHybrid.CylinderSectors);
        TotalSectors = (uint)sector;
        return this;
    }

    private static IEnumerable<IsoItem> Descendants(IsoItem item) =>
        item.Children.SelectMany(child => Descendants(child).Prepend(child));

    private static IsoItem? Find(List<IsoItem> all, string? path, string what)
    {
        if (path is null) return null;
        string clean = string.Join('/', MediaTree.Split(path));
        IsoItem found = all.Find(item => item.Path == clean)
            ?? throw new MediaException($"the {what} '{clean}' is not in the tree");
        if (found.Node is not MediaNode.File || found.Length == 0)
            throw new MediaException($"the {what} '{clean}' must be a file with content");
        if (found.Length > IsoConstants.MaxExtent)
            throw new MediaException($"the {what} '{clean}' is larger than 4 GiB");
        return found;
    }
}
