using System.Buffers.Binary;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// Reads FAT12, FAT16 and FAT32 images without a partition table. Every number of the image is checked: a damaged or
/// hostile image gives a <see cref="FatFormatException"/>, never a loop or a large allocation. One thread at a time.
/// </summary>
public sealed class FatReader : IDisposable
{
    private const int MaxFolderBytes = 65536 * FatGeometry.EntrySize;
    private const int MaxDepth = 64;

    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly FatGeometry _geometry;
    private readonly FatTable _table;

    private FatReader(Stream stream, bool leaveOpen)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;
        byte[] boot = ReadAt(0, FatGeometry.SectorSize, "the boot sector");
        _geometry = FatBootSector.Parse(boot, stream.Length);
        _table = new FatTable(_geometry, ReadAt);
        Root = new FatEntry
        {
            Path = "",
            ShortName = "",
            IsDirectory = true,
            Length = 0,
            Cluster = _geometry.RootCluster,
        };
        int extended = _geometry.Kind == FatKind.Fat32 ? 64 : 36;
        string inBoot = boot[extended + 2] == 0x29 ? Encoding.Latin1.GetString(boot, extended + 7, 11).TrimEnd() : "";
        VolumeLabel = LabelInRoot() ?? (inBoot == "NO NAME" ? "" : inBoot);
    }

    public FatKind Kind => _geometry.Kind;

    /// <summary>The root's label entry, else the boot sector's label.</summary>
    public string VolumeLabel { get; }

    public FatEntry Root { get; }

    /// <exception cref="FatFormatException">No FAT image, or truncated.</exception>
    /// <exception cref="MediaException">There is no such file, or it cannot be read.</exception>
    public static FatReader OpenFile(string path)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MediaException($"cannot open the FAT image '{path}': {error.Message}", error);
        }
        try
        {
            return Open(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens an image in a seekable stream, which starts at the stream's position 0.</summary>
    public static FatReader Open(Stream stream, bool leaveOpen = false) => new(stream, leaveOpen);

    public IReadOnlyList<FatEntry> List(FatEntry folder)
    {
        if (!folder.IsDirectory) throw new MediaException($"'/{folder.Path}' is not a folder of the image");
        return FatFolderParser.Parse(folder, FolderBytes(folder), _geometry);
    }

    /// <summary>Everything below a folder, a folder before its entries.</summary>
    public IEnumerable<FatEntry> Walk(FatEntry? folder = null)
    {
        long bytes = 0;
        var stack = new Stack<IEnumerator<FatEntry>>();
        Push(folder ?? Root);
        while (stack.Count > 0)
        {
            if (!stack.Peek().MoveNext())
            {
                stack.Pop();
                continue;
            }
            FatEntry entry = stack.Peek().Current;
            yield return entry;
            if (entry.IsDirectory) Push(entry);
        }

        void Push(FatEntry next)
        {
            byte[] content = FolderBytes(next);
            bytes += content.Length;
            // In an honest image folders do not share clusters, so together they are smaller than the image.
            if (bytes > _stream.Length || stack.Count >= MaxDepth)
                throw new FatFormatException(
                    $"the folder '/{next.Path}' contains itself or is more than {MaxDepth} folders deep: the image is "
                    + "damaged");
            stack.Push(FatFolderParser.Parse(next, content, _geometry).GetEnumerator());
        }
    }

    /// <summary>The entry at a path, long or short names, without regard to case as FAT has it; or null.</summary>
    public FatEntry? Find(string path)
    {
        FatEntry at = Root;
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!at.IsDirectory) return null;
            IReadOnlyList<FatEntry> entries = List(at);
            const StringComparison Same = StringComparison.OrdinalIgnoreCase;
            FatEntry? next = entries.FirstOrDefault(entry => entry.Name.Equals(name, Same))
                ?? entries.FirstOrDefault(entry => entry.ShortName.Equals(name, Same));
            if (next is null) return null;
            at = next;
        }
        return at;
    }

    /// <summary>A file's bytes.</summary>
    /// <param name="limit">More bytes than this are refused.</param>
    /// <exception cref="FatFormatException">The file's clusters are damaged or beyond the image.</exception>
    public byte[] ReadAll(FatEntry file, int limit)
    {
        using Stream stream = OpenRead(file);
        if (file.Length > limit)
            throw new MediaException($"'/{file.Path}' has {file.Length} bytes, expected at most {limit} for this use");
        byte[] bytes = new byte[file.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Opens a file's bytes: seekable, valid while the reader is open, sharing its stream.</summary>
    public Stream OpenRead(FatEntry file)
    {
        if (file.IsDirectory) throw new MediaException($"'/{file.Path}' is a folder of the image, not a file");
        return new ExtentStream(
            _stream,
            Extents(file.Cluster, file.Length, $"the file '/{file.Path}'"),
            message => new FatFormatException(message));
    }

    public void Dispose()
    {
        if (!_leaveOpen) _stream.Dispose();
    }

    private string? LabelInRoot()
    {
        byte[] root = FolderBytes(Root);
        for (int at = 0; at + FatGeometry.EntrySize <= root.Length && root[at] != 0; at += FatGeometry.EntrySize)
        {
            if (root[at] != 0xE5 && (root[at + 11] & 0x3F) == FatNames.AttributeVolume)
                return Encoding.Latin1.GetString(root, at, 11).TrimEnd();
        }
        return null;
    }

    private byte[] FolderBytes(FatEntry folder)
    {
        string what = $"the folder '/{folder.Path}'";
        if (folder.Path.Length == 0 && _geometry.Kind != FatKind.Fat32)
            return ReadAt(
                _geometry.RootSector * _geometry.BytesPerSector,
                _geometry.RootEntries * FatGeometry.EntrySize, what);
        List<MediaExtent> extents = Extents(folder.Cluster, null, what);
        byte[] bytes = new byte[extents.Sum(extent => extent.Length)];
        int at = 0;
        foreach (MediaExtent extent in extents)
        {
            ReadAt(extent.Offset, (int)extent.Length, what).CopyTo(bytes, at);
            at += (int)extent.Length;
        }
        return bytes;
    }

    /// <summary>Follows a chain for a length, or for a folder to its end.</summary>
    private List<MediaExtent> Extents(uint first, long? length, string what)
    {
        var extents = new List<MediaExtent>();
        long left = length ?? MaxFolderBytes;
        uint cluster = first;
        if (left == 0) return extents;
        while (true)
        {
            if (cluster < 2 || cluster - 2 >= _geometry.Clusters)
                throw new FatFormatException(
                    $"{what} leads to cluster {cluster}, expected 2 to {_geometry.Clusters + 1}");
            long size = Math.Min(left, _geometry.ClusterSize);
            long offset = _geometry.ClusterOffset(cluster);
            if (offset + size > _stream.Length)
                throw new FatFormatException(
                    $"{what} should end at byte {offset + size}, the image has {_stream.Length}");
            if (extents.Count > 0 && extents[^1].Offset + extents[^1].Length == offset)
                extents[^1] = extents[^1] with { Length = extents[^1].Length + size };
            else
                extents.Add(new MediaExtent(offset, size));
            left -= size;
            if (length is not null && left == 0) return extents;
            cluster = _table.Next(cluster);
            bool end = cluster > _geometry.EndOfChain - 8;
            if (end && length is null) return extents;
            if (end)
                throw new FatFormatException(
                    $"{what} should have {length} bytes, its clusters end {left} bytes before that");
            if (left == 0)
                throw new FatFormatException($"{what} has more than {MaxFolderBytes} bytes or runs in a circle");
        }
    }

    private byte[] ReadAt(long offset, int length, string what)
    {
        if (offset < 0 || offset + length > _stream.Length)
            throw new FatFormatException(
                $"{what} should be at bytes {offset} to {offset + length}, but the image has only {_stream.Length}");
        byte[] bytes = new byte[length];
        _stream.Position = offset;
        _stream.ReadExactly(bytes);
        return bytes;
    }
}

/// <summary>The allocation table, read sector by sector as it is needed.</summary>
internal sealed class FatTable(FatGeometry geometry, Func<long, int, string, byte[]> read)
{
    // An entry of FAT12 may lie across two sectors, so sectors are read in pairs.
    private readonly Dictionary<long, byte[]> _cache = [];

    public uint Next(uint cluster)
    {
        long bit = geometry.Kind switch
        {
            FatKind.Fat12 => cluster * 12L,
            FatKind.Fat16 => cluster * 16L,
            FatKind.Fat32 => cluster * 32L,
            _ => throw new InvalidOperationException($"unknown kind {geometry.Kind}"),
        };
        const int Block = 4096;
        long block = bit / 8 / Block;
        if (!_cache.TryGetValue(block, out byte[]? bytes))
        {
            long start = (long)geometry.ReservedSectors * geometry.BytesPerSector + block * Block;
            long end = (long)geometry.DataSector * geometry.BytesPerSector;
            bytes = read(start, (int)Math.Min(Block + 4, end - start), "the allocation table");
            Array.Resize(ref bytes, Block + 4);
            if (_cache.Count > 1024) _cache.Clear();
            _cache[block] = bytes;
        }
        ReadOnlySpan<byte> entry = bytes.AsSpan((int)(bit / 8 - block * Block));
        return geometry.Kind switch
        {
            FatKind.Fat12 => bit % 8 == 0
                ? BinaryPrimitives.ReadUInt16LittleEndian(entry) & 0xFFFu
                : (uint)BinaryPrimitives.ReadUInt16LittleEndian(entry) >> 4,
            FatKind.Fat16 => BinaryPrimitives.ReadUInt16LittleEndian(entry),
            FatKind.Fat32 => BinaryPrimitives.ReadUInt32LittleEndian(entry) & 0x0FFFFFFF,
            _ => throw new InvalidOperationException($"unknown kind {geometry.Kind}"),
        };
    }
}
