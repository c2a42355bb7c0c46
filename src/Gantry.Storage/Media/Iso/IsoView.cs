using System.Buffers.Binary;

namespace Gantry.Storage.Media;

/// <summary>
/// One naming of the same files: the primary descriptor's folders (plain names with Rock Ridge) or Joliet's. It holds
/// the folders' addresses and makes the bytes of folders and path tables.
/// </summary>
internal sealed class IsoView
{
    // Path tables number folders with 16 bits.
    private const int MaxDirectories = ushort.MaxValue;

    private readonly bool _rockRidge;
    private readonly DateTimeOffset _time;
    private readonly List<IsoItem> _directories = [];
    private readonly Dictionary<IsoItem, byte[]> _identifiers = [];
    private readonly Dictionary<IsoItem, IsoItem[]> _children = [];
    private readonly Dictionary<IsoItem, int> _sizes = [];
    private readonly Dictionary<IsoItem, uint> _sectors = [];
    private readonly int _continuationSize;

    public IsoView(IsoItem root, bool joliet, bool rockRidge, DateTimeOffset time)
    {
        _rockRidge = rockRidge;
        _time = time;
        Root = root;
        _identifiers[root] = [0];
        Number(joliet);
        // The first pass finds sizes; all addresses are still 0.
        var area = new ContinuationArea(0);
        foreach (IsoItem directory in _directories) _sectors[directory] = 0;
        foreach (IsoItem directory in _directories) _sizes[directory] = Render(directory, area).Length;
        _continuationSize = area.ToArray().Length;
        PathTableSize = _directories.Sum(directory => PathRecordLength(directory));
    }

    public IsoItem Root { get; }

    /// <summary>Bytes of one path table.</summary>
    public int PathTableSize { get; }

    public uint LittleEndianTableSector { get; private set; }

    public uint BigEndianTableSector { get; private set; }

    public byte[] RootRecord => Record(Root, [0], [], _sectors[Root], (uint)_sizes[Root], IsoConstants.FlagDirectory);

    /// <summary>Gives addresses from a sector on; returns the first free sector behind.</summary>
    public uint Allocate(uint sector)
    {
        uint table = (uint)IsoBytes.RoundUp(PathTableSize, IsoConstants.SectorSize) / IsoConstants.SectorSize;
        LittleEndianTableSector = sector;
        BigEndianTableSector = sector + table;
        sector += 2 * table;
        foreach (IsoItem directory in _directories)
        {
            _sectors[directory] = sector;
            sector += (uint)_sizes[directory] / IsoConstants.SectorSize;
        }
        return sector + (uint)_continuationSize / IsoConstants.SectorSize;
    }

    /// <summary>Path tables, folders and continuation area, in the order of their sectors.</summary>
    public async Task WriteAsync(ProgressStream output, CancellationToken cancellation)
    {
        byte[][] tables = [PathTable(bigEndian: false), PathTable(bigEndian: true)];
        foreach (byte[] table in tables)
        {
            await output.WriteAsync(table, cancellation).ConfigureAwait(false);
            await output.PadToAsync(IsoBytes.RoundUp(output.Done, IsoConstants.SectorSize), cancellation)
                .ConfigureAwait(false);
        }
        IsoItem last = _directories[^1];
        var area = new ContinuationArea(_sectors[last] + (uint)_sizes[last] / IsoConstants.SectorSize);
        foreach (IsoItem directory in _directories)
            await output.WriteAsync(Render(directory, area), cancellation).ConfigureAwait(false);
        await output.WriteAsync(area.ToArray(), cancellation).ConfigureAwait(false);
    }

    /// <summary>Orders folders as path tables want them: by depth, then by the parent's number, then by name.</summary>
    private void Number(bool joliet)
    {
        _directories.Add(Root);
        for (int i = 0; i < _directories.Count; i++)
        {
            IsoItem directory = _directories[i];
            IsoItem[] children = [.. directory.Children.Where(child => _rockRidge || IsPlain(child))];
            byte[][] names = joliet ? IsoNameMaker.Joliet(children) : IsoNameMaker.Plain(children);
            for (int c = 0; c < children.Length; c++) _identifiers[children[c]] = names[c];
            Array.Sort(children, (a, b) => _identifiers[a].AsSpan().SequenceCompareTo(_identifiers[b]));
            _children[directory] = children;
            _directories.AddRange(children.Where(child => child.IsDirectory));
        }
        if (_directories.Count > MaxDirectories)
            throw new MediaException(
                $"the medium has {_directories.Count} folders, ISO 9660 allows at most {MaxDirectories}; pack some "
                + "into an archive");
    }

    private static bool IsPlain(IsoItem item) => item.Node is MediaNode.File or MediaNode.Directory;

    private byte[] Render(IsoItem directory, ContinuationArea area)
    {
        var records = new List<byte[]>
        {
            Self(directory, 0, directory == Root, area),
            Self(directory.Parent, 1, false, area),
        };
        foreach (IsoItem child in _children[directory]) AddChild(records, child, area);

        // No record may cross a sector; the gap is filled with zeros.
        int size = 0;
        var starts = new int[records.Count];
        for (int i = 0; i < records.Count; i++)
        {
            int left = IsoConstants.SectorSize - size % IsoConstants.SectorSize;
            if (records[i].Length > left) size += left;
            starts[i] = size;
            size += records[i].Length;
        }
        byte[] bytes = new byte[IsoBytes.RoundUp(size, IsoConstants.SectorSize)];
        for (int i = 0; i < records.Count; i++) records[i].CopyTo(bytes, starts[i]);
        return bytes;
    }

    private byte[] Self(IsoItem directory, byte identifier, bool announce, ContinuationArea area)
    {
        byte[] use = _rockRidge ? Place(area, RockRidge.ForSelf(directory, _time, announce), 1) : [];
        uint size = (uint)_sizes.GetValueOrDefault(directory);
        return Record(directory, [identifier], use, _sectors[directory], size, IsoConstants.FlagDirectory);
    }

    private void AddChild(List<byte[]> records, IsoItem child, ContinuationArea area)
    {
        byte[] identifier = _identifiers[child];
        if (child.IsDirectory)
        {
            records.Add(Record(
                child, identifier, ChildUse(child, area), _sectors[child], (uint)_sizes.GetValueOrDefault(child),
                IsoConstants.FlagDirectory));
            return;
        }
        uint sector = child.DataSector;
        long left = child.Length;
        do
        {
            // A file beyond 4 GiB has several records of the same name, all but the last marked.
            uint extent = (uint)Math.Min(left, IsoConstants.MaxExtent);
            left -= extent;
            byte flags = left > 0 ? IsoConstants.FlagMultiExtent : (byte)0;
            records.Add(Record(child, identifier, ChildUse(child, area), sector, extent, flags));
            sector += extent / IsoConstants.SectorSize;
        } while (left > 0);
    }

    private byte[] ChildUse(IsoItem child, ContinuationArea area) =>
        _rockRidge ? Place(area, RockRidge.ForChild(child, _time), _identifiers[child].Length) : [];

    private static byte[] Place(ContinuationArea area, List<byte[]> entries, int identifierLength) =>
        area.Place(entries, IsoConstants.MaxRecord - IsoBytes.RoundUp(IsoConstants.RecordHeader + identifierLength, 2));

    private byte[] Record(IsoItem item, byte[] identifier, byte[] use, uint sector, uint size, byte flags)
    {
        int header = IsoBytes.RoundUp(IsoConstants.RecordHeader + identifier.Length, 2);
        byte[] record = new byte[IsoBytes.RoundUp(header + use.Length, 2)];
        record[0] = (byte)record.Length;
        IsoBytes.Both32(record.AsSpan(2), sector);
        IsoBytes.Both32(record.AsSpan(10), size);
        IsoBytes.ShortTime(record.AsSpan(18), item.Node.ModifiedAt ?? _time);
        record[25] = flags;
        IsoBytes.Both16(record.AsSpan(28), 1);
        record[32] = (byte)identifier.Length;
        identifier.CopyTo(record, IsoConstants.RecordHeader);
        use.CopyTo(record, header);
        return record;
    }

    private int PathRecordLength(IsoItem directory) => IsoBytes.RoundUp(8 + _identifiers[directory].Length, 2);

    private byte[] PathTable(bool bigEndian)
    {
        byte[] table = new byte[PathTableSize];
        var numbers = new Dictionary<IsoItem, ushort>();
        int at = 0;
        foreach (IsoItem directory in _directories)
        {
            numbers[directory] = (ushort)(numbers.Count + 1);
            Span<byte> record = table.AsSpan(at, PathRecordLength(directory));
            byte[] identifier = _identifiers[directory];
            record[0] = (byte)identifier.Length;
            identifier.CopyTo(record[8..]);
            if (bigEndian)
            {
                BinaryPrimitives.WriteUInt32BigEndian(record[2..], _sectors[directory]);
                BinaryPrimitives.WriteUInt16BigEndian(record[6..], numbers[directory.Parent]);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(record[2..], _sectors[directory]);
                BinaryPrimitives.WriteUInt16LittleEndian(record[6..], numbers[directory.Parent]);
            }
            at += record.Length;
        }
        return table;
    }
}
