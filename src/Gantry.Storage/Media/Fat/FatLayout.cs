using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>Where everything of a FAT image goes: clusters in the order of the tree, every chain contiguous.</summary>
internal sealed class FatLayout
{
    // The field counts 32-byte entries of a folder in 16 bits.
    private const int MaxFolderEntries = 65536;

    private readonly DateTimeOffset _time;
    private readonly List<Item> _items = [];
    private readonly Item _root;
    private uint _next;

    private FatLayout(MediaTree tree, FatOptions options)
    {
        Label = FatNames.Label(options.VolumeLabel);
        _time = options.Timestamp;
        _root = Collect(tree.Root, null);
        Geometry = options.SizeBytes is { } size ? Fixed(size) : Smallest();
        Serial = MakeSerial();
    }

    public FatGeometry Geometry { get; }

    public string Label { get; }

    public uint Serial { get; }

    public uint UsedClusters => _next - 2;

    public long TotalBytes => Geometry.TotalSectors * FatGeometry.SectorSize;

    public static FatLayout Create(MediaTree tree, FatOptions options)
    {
        if (options.Timestamp.UtcDateTime.Year is < 1980 or > 2107)
            throw new MediaException($"the image's time {options.Timestamp:O} must lie in the years 1980 to 2107");
        return new FatLayout(tree, options);
    }

    /// <summary>The used part of one copy of the allocation table.</summary>
    public byte[] Table()
    {
        uint[] next = new uint[_next];
        next[0] = Geometry.EndOfChain & 0xFFFFFF00 | Geometry.Media;
        next[1] = Geometry.EndOfChain;
        foreach (Item item in _items.Append(_root))
        {
            if (item.Clusters == 0) continue;
            uint last = item.Cluster + item.Clusters - 1;
            for (uint cluster = item.Cluster; cluster < last; cluster++) next[cluster] = cluster + 1;
            next[last] = Geometry.EndOfChain;
        }
        return Geometry.Kind switch
        {
            FatKind.Fat12 => Pack12(next),
            FatKind.Fat16 => [.. next.SelectMany(value => BitConverter.GetBytes((ushort)value))],
            FatKind.Fat32 => [.. next.SelectMany(BitConverter.GetBytes)],
            _ => throw new InvalidOperationException($"unknown kind {Geometry.Kind}"),
        };
    }

    /// <summary>The fixed root folder of FAT12 and FAT16; empty for FAT32.</summary>
    public byte[] FixedRoot() => Geometry.Kind == FatKind.Fat32 ? [] : Folder(_root);

    public async Task WriteDataAsync(ProgressStream output, CancellationToken cancellation)
    {
        IEnumerable<Item> items = Geometry.Kind == FatKind.Fat32 ? _items.Prepend(_root) : _items;
        foreach (Item item in items.Where(item => item.Clusters > 0))
        {
            await output.PadToAsync(Geometry.ClusterOffset(item.Cluster), cancellation).ConfigureAwait(false);
            if (item.Node.Node is MediaNode.File file)
                await file.Content.CopyToAsync(output, item.Node.Path, cancellation).ConfigureAwait(false);
            else
                await output.WriteAsync(Folder(item), cancellation).ConfigureAwait(false);
        }
    }

    private Item Collect(MediaTreeNode node, Item? parent)
    {
        var item = new Item(node, parent);
        if (parent is not null) _items.Add(item);
        if (node.Node is MediaNode.File { Content.Length: > uint.MaxValue })
            throw new MediaException($"'{node.Path}' has 4 GiB or more, which FAT cannot hold");
        if (node.Node is MediaNode.Symlink or MediaNode.Device)
            throw new MediaException($"'{node.Path}' is a link or device, which FAT cannot hold; put a file there");
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        // "." and ".."; the root has the label instead.
        item.EntryCount = parent is null ? 1 : 2;
        foreach (MediaTreeNode child in node.Children.Values)
        {
            FatNames.Check(child.Name, child.Path);
            if (!names.Add(child.Name))
                throw new MediaException(
                    $"'{child.Path}' differs from another name only in case, which FAT cannot hold");
        }
        foreach (MediaTreeNode child in node.Children.Values.OrderBy(child => FatNames.Rate(child.Name)))
        {
            Item sub = Collect(child, item);
            sub.Alias = FatNames.Short(child.Name, taken);
            bool exact = FatNames.Rate(child.Name) == FatNames.Fitness.Exact;
            sub.LongEntries = exact ? [] : [.. FatNames.Long(child.Name, sub.Alias)];
            item.EntryCount += 1 + sub.LongEntries.Length;
            item.Children.Add(sub);
        }
        if (item.EntryCount > MaxFolderEntries)
            throw new MediaException($"the folder '/{node.Path}' needs more than FAT's {MaxFolderEntries} entries");
        return item;
    }

    private FatGeometry Fixed(long size)
    {
        FatGeometry geometry = FatGeometry.For(size, _root.EntryCount);
        if (TryPlace(geometry)) return geometry;
        if (geometry.Kind != FatKind.Fat32 && _root.EntryCount > geometry.RootEntries)
            throw new MediaException(
                $"the root folder needs {_root.EntryCount} entries, an image of {size} bytes has "
                + $"{geometry.RootEntries}; "
                + "use folders or shorter names");
        throw new MediaException(
            $"the files need {(_next - 2L) * geometry.ClusterSize} bytes, "
            + $"but a FAT image of {size} bytes has room for {geometry.Clusters * geometry.ClusterSize}");
    }

    private FatGeometry Smallest()
    {
        const long MiB = 1 << 20;
        long content = _items.Sum(item => item.Node.Node is MediaNode.File file ? file.Content.Length : 0);
        for (long size = Math.Max(1, content / MiB) * MiB; ; size += Math.Max(MiB, size / 64 / MiB * MiB))
        {
            FatGeometry geometry = FatGeometry.For(size, _root.EntryCount);
            if (TryPlace(geometry)) return geometry;
        }
    }

    private bool TryPlace(FatGeometry geometry)
    {
        long next = 2;
        IEnumerable<Item> items = geometry.Kind == FatKind.Fat32 ? _items.Prepend(_root) : _items;
        _root.Cluster = _root.Clusters = 0;
        foreach (Item item in items)
        {
            long bytes = item.Node.Node is MediaNode.File file
                ? file.Content.Length
                : (long)item.EntryCount * FatGeometry.EntrySize;
            item.Clusters = (uint)((bytes + geometry.ClusterSize - 1) / geometry.ClusterSize);
            item.Cluster = item.Clusters == 0 ? 0 : (uint)next;
            next += item.Clusters;
        }
        _next = (uint)Math.Min(next, uint.MaxValue);
        return next - 2 <= geometry.Clusters
            && (geometry.Kind == FatKind.Fat32 || _root.EntryCount <= geometry.RootEntries);
    }

    private byte[] Folder(Item folder)
    {
        byte[] bytes = new byte[folder.EntryCount * FatGeometry.EntrySize];
        int at = 0;
        if (folder.Parent is null)
        {
            Entry(Next(), Encoding.ASCII.GetBytes(Label.PadRight(11)), FatNames.AttributeVolume, folder, 0, 0);
        }
        else
        {
            Entry(Next(), ".          "u8, FatNames.AttributeDirectory, folder, folder.Cluster, 0);
            // The root counts as cluster 0 here, also with FAT32.
            uint up = folder.Parent.Parent is null ? 0 : folder.Parent.Cluster;
            Entry(Next(), "..         "u8, FatNames.AttributeDirectory, folder.Parent, up, 0);
        }
        foreach (Item child in folder.Children)
        {
            foreach (byte[] part in child.LongEntries) part.CopyTo(Next());
            bool directory = child.Node.Node is MediaNode.Directory;
            uint length = child.Node.Node is MediaNode.File file ? (uint)file.Content.Length : 0;
            byte attribute = directory ? FatNames.AttributeDirectory : FatNames.AttributeArchive;
            Entry(Next(), child.Alias, attribute, child, child.Cluster, length);
        }
        return bytes;

        Span<byte> Next()
        {
            at += FatGeometry.EntrySize;
            return bytes.AsSpan(at - FatGeometry.EntrySize, FatGeometry.EntrySize);
        }
    }

    private void Entry(Span<byte> entry, ReadOnlySpan<byte> name, byte attribute, Item item, uint cluster, uint length)
    {
        name.CopyTo(entry);
        entry[11] = attribute;
        DateTime time = (item.Node.Node.ModifiedAt ?? _time).UtcDateTime;
        if (time.Year < 1980) time = new DateTime(1980, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        if (time.Year > 2107) time = new DateTime(2107, 12, 31, 23, 59, 58, DateTimeKind.Utc);
        ushort date = (ushort)((time.Year - 1980) << 9 | time.Month << 5 | time.Day);
        ushort clock = (ushort)(time.Hour << 11 | time.Minute << 5 | time.Second / 2);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[14..], clock);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[16..], date);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[18..], date);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[20..], (ushort)(cluster >> 16));
        BinaryPrimitives.WriteUInt16LittleEndian(entry[22..], clock);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[24..], date);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[26..], (ushort)cluster);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[28..], length);
    }

    private static byte[] Pack12(uint[] values)
    {
        byte[] packed = new byte[(values.Length * 3 + 1) / 2];
        for (int i = 0; i < values.Length; i++)
        {
            int at = i * 3 / 2;
            if (i % 2 == 0)
            {
                packed[at] = (byte)values[i];
                packed[at + 1] |= (byte)(values[i] >> 8 & 0x0F);
            }
            else
            {
                packed[at] |= (byte)(values[i] << 4);
                packed[at + 1] = (byte)(values[i] >> 4);
            }
        }
        return packed;
    }

    /// <summary>The volume's serial number: the same for the same input, and mostly another for another.</summary>
    private uint MakeSerial()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{Label}\n{_time.UtcTicks}\n"));
        foreach (Item item in _items) hash.AppendData(Encoding.UTF8.GetBytes($"{item.Node.Path}\0{item.Cluster}\n"));
        return BitConverter.ToUInt32(hash.GetHashAndReset());
    }

    private sealed class Item(MediaTreeNode node, Item? parent)
    {
        public MediaTreeNode Node { get; } = node;

        public Item? Parent { get; } = parent;

        public List<Item> Children { get; } = [];

        public byte[] Alias { get; set; } = [];

        public byte[][] LongEntries { get; set; } = [];

        /// <summary>32-byte entries of a folder.</summary>
        public int EntryCount { get; set; }

        public uint Cluster { get; set; }

        public uint Clusters { get; set; }
    }
}
