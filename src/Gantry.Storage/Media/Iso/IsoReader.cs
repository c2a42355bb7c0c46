using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// Reads an ISO 9660 image: Rock Ridge's names where there are any, else Joliet's, else plain ones. Images come from
/// anywhere, so every number in them is checked: a damaged or hostile image gives an <see cref="IsoFormatException"/>,
/// never a loop or a large allocation. One thread at a time.
/// </summary>
public sealed class IsoReader : IDisposable
{
    private const int MaxDescriptors = 64;
    private const int MaxLinks = 40;
    private const int MaxDepth = 128;
    private const int MaxCachedEntries = 100_000;

    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly IsoImage _image;
    private readonly Dictionary<IsoEntry, List<IsoEntry>> _folders = [];
    private readonly IsoDirectoryParser _parser;
    private readonly uint? _catalogSector;
    private int _cachedEntries;

    private IsoReader(Stream stream, bool leaveOpen)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;
        _image = new IsoImage(stream);
        byte[]? primary = null, joliet = null;
        foreach (byte[] descriptor in Descriptors())
        {
            if (descriptor[0] == IsoConstants.PrimaryDescriptor) primary ??= descriptor;
            if (descriptor[0] == IsoConstants.SupplementaryDescriptor && IsJoliet(descriptor)) joliet ??= descriptor;
            if (descriptor[0] == IsoConstants.BootDescriptor && IsElTorito(descriptor))
                _catalogSector ??= IsoImage.U32(descriptor, 71);
        }
        if (primary is null) throw new IsoFormatException("the image has volume descriptors, but not the primary one");
        int block = IsoImage.U16(primary, 128);
        if (block != IsoConstants.SectorSize)
            throw new IsoFormatException($"the image has blocks of {block} bytes, expected {IsoConstants.SectorSize}");

        VolumeLabel = Encoding.Latin1.GetString(primary, 40, 32).TrimEnd(' ', '\0');
        VolumeBytes = (long)IsoImage.U32(primary, 80) * IsoConstants.SectorSize;
        HasJoliet = joliet is not null;
        HasUdf = FindUdf();
        int? skip = SuspSkip(primary);
        byte[] root = skip is null && joliet is not null ? joliet : primary;
        Names = skip is not null ? IsoNames.RockRidge : joliet is not null ? IsoNames.Joliet : IsoNames.Plain;
        _parser = new IsoDirectoryParser(_image, Names, skip ?? 0);
        Root = new IsoEntry
        {
            Path = "",
            Kind = IsoEntryKind.Directory,
            Length = 0,
            Permissions = MediaModes.Executable,
            ModifiedAt = IsoDirectoryParser.Time(root.AsSpan(156 + 18)),
            Extents = [],
            Folder = (IsoImage.U32(root, 156 + 2), IsoImage.U32(root, 156 + 10)),
        };
    }

    /// <summary>The primary descriptor's label, without the spaces at its end.</summary>
    public string VolumeLabel { get; }

    /// <summary>The size that the image should have, by its primary descriptor.</summary>
    public long VolumeBytes { get; }

    public IsoNames Names { get; }

    /// <summary>Whether there are Joliet names too, shown or not.</summary>
    public bool HasJoliet { get; }

    /// <summary>
    /// Whether there is a UDF file system too. Windows' installers have all their files there and one README here.
    /// </summary>
    public bool HasUdf { get; }

    public IsoEntry Root { get; }

    /// <summary>Opens an image file.</summary>
    /// <param name="allowTruncated">Open an image that is shorter than its descriptor says.</param>
    /// <exception cref="IsoFormatException">No ISO 9660 image, or truncated.</exception>
    /// <exception cref="MediaException">There is no such file, or it cannot be read.</exception>
    public static IsoReader OpenFile(string path, bool allowTruncated = false)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MediaException($"cannot open the ISO image '{path}': {error.Message}", error);
        }
        try
        {
            return Open(file, leaveOpen: false, allowTruncated);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens an image in a seekable stream, which starts at the stream's position 0.</summary>
    public static IsoReader Open(Stream stream, bool leaveOpen = false, bool allowTruncated = false)
    {
        var reader = new IsoReader(stream, leaveOpen);
        if (!allowTruncated && reader._image.Length < reader.VolumeBytes)
            throw new IsoFormatException(
                $"the image is truncated: its descriptor says {reader.VolumeBytes} bytes, the file has "
                + $"{reader._image.Length}; "
                + "fetch it again");
        return reader;
    }

    /// <summary>The entries of a folder, in the image's order.</summary>
    public IReadOnlyList<IsoEntry> List(IsoEntry folder)
    {
        if (folder.Kind != IsoEntryKind.Directory)
            throw new MediaException($"'/{folder.Path}' is not a folder of the image");
        if (_folders.TryGetValue(folder, out List<IsoEntry>? known)) return known;
        List<IsoEntry> entries = _parser.Parse(folder);
        _cachedEntries += entries.Count;
        if (_cachedEntries > MaxCachedEntries)
        {
            _folders.Clear();
            _cachedEntries = entries.Count;
        }
        _folders[folder] = entries;
        return entries;
    }

    /// <summary>
    /// Everything below a folder, a folder before its entries. Links are not followed. A folder that contains itself,
    /// as only a damaged image has it, is a format error.
    /// </summary>
    public IEnumerable<IsoEntry> Walk(IsoEntry? folder = null)
    {
        var open = new HashSet<uint>();
        var stack = new Stack<(uint Sector, IEnumerator<IsoEntry> Entries)>();
        long bytes = 0, count = 0;
        Push(folder ?? Root);
        while (stack.Count > 0)
        {
            (uint sector, IEnumerator<IsoEntry> entries) = stack.Peek();
            if (!entries.MoveNext())
            {
                stack.Pop();
                open.Remove(sector);
                continue;
            }
            yield return entries.Current;
            if (entries.Current.Kind == IsoEntryKind.Directory) Push(entries.Current);
        }

        void Push(IsoEntry next)
        {
            if (!open.Add(next.Folder.Sector) || stack.Count >= MaxDepth)
                throw new IsoFormatException(
                    $"the folder '/{next.Path}' contains itself or is more than {MaxDepth} folders deep: the image is "
                    + "damaged");
            // In an honest image folders do not overlap; without this a small image could be walked for days.
            bytes += next.Folder.Length;
            IReadOnlyList<IsoEntry> entries = bytes <= _image.Length ? List(next) : [];
            count += entries.Count;
            if (bytes > _image.Length || count > MediaTree.MaxEntries)
                throw new IsoFormatException(
                    $"the image's folders overlap or have more than {MediaTree.MaxEntries} entries: the image is "
                    + "damaged");
            stack.Push((next.Folder.Sector, entries.GetEnumerator()));
        }
    }

    /// <summary>
    /// The entry at a path, or null. Links on the way are followed inside the image ('..' stops at the root). Each name
    /// is compared exactly first, then without case. The last name's link is followed unless told otherwise.
    /// </summary>
    /// <exception cref="MediaException">More than 40 links on the way.</exception>
    public IsoEntry? Find(string path, bool followLast = true)
    {
        var rest = new LinkedList<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries));
        var at = new Stack<IsoEntry>([Root]);
        for (int links = 0; rest.First is { } first;)
        {
            rest.RemoveFirst();
            if (first.Value == ".") continue;
            if (first.Value == "..")
            {
                if (at.Count > 1) at.Pop();
                continue;
            }
            if (at.Peek().Kind != IsoEntryKind.Directory || Match(at.Peek(), first.Value) is not { } found) return null;
            if (found.Kind != IsoEntryKind.Symlink || (rest.First is null && !followLast))
            {
                at.Push(found);
                continue;
            }
            if (++links > MaxLinks)
                throw new MediaException($"'{path}' leads through more than {MaxLinks} links in the image");
            if (found.LinkTarget!.StartsWith('/'))
            {
                while (at.Count > 1) at.Pop();
            }
            foreach (string name in found.LinkTarget.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                rest.AddFirst(name);
            // A few links of many names each multiply.
            if (rest.Count > MediaTree.MaxLinkBytes)
                throw new MediaException($"'{path}' leads through links without an end");
        }
        return at.Peek();
    }

    /// <summary>Opens a file's bytes: seekable, valid while the reader is open, sharing its stream.</summary>
    /// <exception cref="IsoFormatException">The file lies beyond the end of the image.</exception>
    public Stream OpenRead(IsoEntry file)
    {
        if (file.Kind != IsoEntryKind.File)
            throw new MediaException(
                $"'/{file.Path}' is not a file of the image but a {file.Kind.ToString().ToLowerInvariant()}");
        foreach (MediaExtent extent in file.Extents)
        {
            if (extent.Length > 0 && extent.Offset + extent.Length > _image.Length)
                throw new IsoFormatException(
                    $"the file '/{file.Path}' should end at byte {extent.Offset + extent.Length}, but the image has "
                    + "only "
                    + $"{_image.Length} bytes: it is truncated or damaged");
        }
        return new ExtentStream(_image.Stream, file.Extents, message => new IsoFormatException(message));
    }

    /// <summary>Opens the file at a path; see <see cref="Find"/>.</summary>
    /// <exception cref="MediaException">There is no such file; the message names what is in its folder.</exception>
    public Stream OpenRead(string path) => OpenRead(Find(path) ?? throw Missing(path));

    /// <summary>A file's bytes, refused above limit bytes.</summary>
    public byte[] ReadAll(IsoEntry file, int limit)
    {
        using Stream stream = OpenRead(file);
        if (stream.Length > limit)
            throw new MediaException(
                $"'/{file.Path}' has {stream.Length} bytes, expected at most {limit} for this use");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>El Torito's catalogue; empty when the image does not boot.</summary>
    /// <param name="withPaths">Look for the files that hold the images, which walks the whole image.</param>
    public IReadOnlyList<IsoBootEntry> BootEntries(bool withPaths = true)
    {
        if (_catalogSector is not { } sector) return [];
        List<IsoBootEntry> entries = ElToritoParser.Parse(_image.ReadSector(sector, "the boot catalogue"));
        if (!withPaths) return entries;
        var files = new Dictionary<long, string>();
        foreach (IsoEntry entry in Walk())
        {
            if (entry.Kind == IsoEntryKind.File && entry.Length > 0) files.TryAdd(entry.Extents[0].Offset, entry.Path);
        }
        return [.. entries.Select(entry => entry with { Path = files.GetValueOrDefault(entry.Offset) })];
    }

    public void Dispose()
    {
        if (!_leaveOpen) _stream.Dispose();
    }

    private IEnumerable<byte[]> Descriptors()
    {
        for (uint i = 0; i < MaxDescriptors; i++)
        {
            byte[] descriptor = _image.ReadSector(
                IsoConstants.SystemAreaSectors + i, "a volume descriptor of the ISO image");
            if (!descriptor.AsSpan(1, 5).SequenceEqual("CD001"u8))
            {
                // Some old writers leave out the terminator.
                if (i > 0) yield break;
                throw new IsoFormatException("this is not an ISO 9660 image: expected 'CD001' at byte 32769, found "
                    + Convert.ToHexString(descriptor, 1, 5));
            }
            if (descriptor[0] == IsoConstants.TerminatorDescriptor) yield break;
            yield return descriptor;
        }
        throw new IsoFormatException($"the image has more than {MaxDescriptors} volume descriptors");
    }

    private static bool IsJoliet(byte[] descriptor) =>
        descriptor[88] == '%' && descriptor[89] == '/' && descriptor[90] is (byte)'@' or (byte)'C' or (byte)'E';

    private static bool IsElTorito(byte[] descriptor) =>
        Encoding.Latin1.GetString(descriptor, 7, IsoConstants.ElToritoId.Length) == IsoConstants.ElToritoId;

    /// <summary>UDF announces itself in the sectors behind the descriptors (ECMA-167 2/8).</summary>
    private bool FindUdf()
    {
        for (uint i = 0; i < MaxDescriptors; i++)
        {
            uint sector = IsoConstants.SystemAreaSectors + i;
            if ((sector + 1L) * IsoConstants.SectorSize > _image.Length) return false;
            string id = Encoding.ASCII.GetString(_image.ReadSector(sector, "a descriptor"), 1, 5);
            if (id is "NSR02" or "NSR03") return true;
            if (id is not ("CD001" or "BEA01" or "BOOT2")) return false;
        }
        return false;
    }

    /// <summary>Bytes to skip in each record's System Use area; null when the image has no Rock Ridge.</summary>
    private int? SuspSkip(byte[] primary)
    {
        byte[] self = IsoDirectoryParser.SelfRecord(_image, IsoImage.U32(primary, 156 + 2));
        ReadOnlySpan<byte> use = IsoDirectoryParser.SystemUse(self);
        // CD-ROM XA puts 14 bytes of its own before.
        for (int start = 0; start <= 14; start += 14)
        {
            if (use.Length < start + 7) return null;
            ReadOnlySpan<byte> sp = use[start..];
            if (sp[0] != 'S' || sp[1] != 'P' || sp[4] != 0xBE || sp[5] != 0xEF) continue;
            // SUSP alone is not Rock Ridge; its modes are what every writer of it gives.
            return SystemUse.Parse(_image, sp, 0).Mode is null ? null : sp[6];
        }
        return null;
    }

    private IsoEntry? Match(IsoEntry folder, string name)
    {
        IReadOnlyList<IsoEntry> entries = List(folder);
        return entries.FirstOrDefault(entry => entry.Name == name)
            ?? entries.FirstOrDefault(entry => string.Equals(entry.Name, name, StringComparison.OrdinalIgnoreCase));
    }

    private MediaException Missing(string path)
    {
        int slash = path.TrimEnd('/').LastIndexOf('/');
        string parent = slash < 0 ? "" : path[..slash];
        if (Find(parent) is not { Kind: IsoEntryKind.Directory } folder)
            return new MediaException($"the image has no '{path}', not even its folder");
        IEnumerable<string> names = List(folder).Take(20).Select(entry => entry.Name);
        return new MediaException($"the image has no '{path}'; the folder holds: {string.Join(", ", names)}");
    }
}
