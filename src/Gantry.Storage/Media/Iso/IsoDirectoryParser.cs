using System.Text;

namespace Gantry.Storage.Media;

/// <summary>Reads the records of one folder. Every number of the image is checked before it is used.</summary>
internal sealed class IsoDirectoryParser(IsoImage image, IsoNames names, int skip)
{
    // A folder of 100,000 files with long names has about 25 MB.
    private const uint MaxFolder = 64 << 20;
    private const int MaxExtentsPerFile = 4096;

    public List<IsoEntry> Parse(IsoEntry folder)
    {
        (uint sector, uint length) = folder.Folder;
        if (length > MaxFolder)
            throw new IsoFormatException(
                $"the folder '/{folder.Path}' claims {length} bytes, expected at most {MaxFolder}");
        byte[] bytes = image.Read((long)sector * IsoConstants.SectorSize, (int)length, $"the folder '/{folder.Path}'");
        var entries = new List<IsoEntry>();
        // Extents of a file that goes on in the next record.
        var pending = new List<MediaExtent>();
        foreach (ReadOnlyMemory<byte> record in Records(bytes, folder.Path))
        {
            ReadOnlySpan<byte> r = record.Span;
            int idLength = r[32];
            if (idLength == 1 && r[33] <= 1) continue;
            bool multi = (r[25] & IsoConstants.FlagMultiExtent) != 0;
            if ((r[25] & IsoConstants.FlagDirectory) == 0)
            {
                pending.Add(new MediaExtent((long)IsoImage.U32(r, 2) * IsoConstants.SectorSize, IsoImage.U32(r, 10)));
                if (pending.Count > MaxExtentsPerFile)
                    throw new IsoFormatException(
                        $"a file in '/{folder.Path}' has more than {MaxExtentsPerFile} extents");
                if (multi) continue;
            }
            if (Entry(folder, r, pending) is { } entry) entries.Add(entry);
            if (entries.Count > MediaTree.MaxEntries)
                throw new IsoFormatException(
                    $"the folder '/{folder.Path}' has more than {MediaTree.MaxEntries} entries");
            pending.Clear();
        }
        return entries;
    }

    /// <summary>The record of a folder's own ".", for its size and for the root's SUSP announcement.</summary>
    public static byte[] SelfRecord(IsoImage image, uint sector)
    {
        byte[] bytes = image.ReadSector(sector, "a folder");
        int length = bytes[0];
        if (length < IsoConstants.RecordHeader + 1)
            throw new IsoFormatException($"sector {sector} should start with a folder record, found length {length}");
        return bytes[..length];
    }

    /// <summary>The bytes behind the identifier, where System Use entries are.</summary>
    public static ReadOnlySpan<byte> SystemUse(ReadOnlySpan<byte> record)
    {
        int start = IsoBytes.RoundUp(IsoConstants.RecordHeader + record[32], 2);
        return start < record.Length ? record[start..] : [];
    }

    public static DateTimeOffset? Time(ReadOnlySpan<byte> bytes)
    {
        bool valid = bytes[1] is >= 1 and <= 12 && bytes[2] is >= 1 and <= 31
            && bytes[3] < 24 && bytes[4] < 60 && bytes[5] < 60
            && bytes[2] <= DateTime.DaysInMonth(1900 + bytes[0], bytes[1]);
        if (!valid) return null;
        // Quarters of an hour east of Greenwich, -48 to 52; .NET allows 14 hours.
        int quarters = Math.Clamp((int)(sbyte)bytes[6], -48, 52);
        return new DateTimeOffset(
            1900 + bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], TimeSpan.FromMinutes(15 * quarters));
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Records(byte[] bytes, string path)
    {
        int at = 0;
        while (at < bytes.Length)
        {
            int length = bytes[at];
            int inSector = IsoConstants.SectorSize - at % IsoConstants.SectorSize;
            if (length == 0)
            {
                at += inSector;
                continue;
            }
            if (length < IsoConstants.RecordHeader + 1 || length > inSector || at + length > bytes.Length
                || IsoConstants.RecordHeader + bytes[at + 32] > length)
                throw new IsoFormatException(
                    $"the folder '/{path}' has a broken record at byte {at} (length {length}): the image is damaged");
            yield return bytes.AsMemory(at, length);
            at += length;
        }
    }

    private IsoEntry? Entry(IsoEntry folder, ReadOnlySpan<byte> record, List<MediaExtent> extents)
    {
        SystemUse use = names == IsoNames.RockRidge
            ? Media.SystemUse.Parse(image, SystemUse(record), skip)
            : new SystemUse();
        if (use.Relocated) return null;
        bool directory = (record[25] & IsoConstants.FlagDirectory) != 0 || use.ChildLink is not null;
        string name = use.Name ?? Identifier(record.Slice(IsoConstants.RecordHeader, record[32]), directory);
        if (name is "" or "." or ".." || name.Contains('/', StringComparison.Ordinal)
            || name.Contains('\0', StringComparison.Ordinal))
            throw new IsoFormatException($"the folder '/{folder.Path}' has an entry with the impossible name '{name}'");
        IsoEntryKind kind = Kind(directory, use);
        return new IsoEntry
        {
            Path = folder.Path.Length == 0 ? name : $"{folder.Path}/{name}",
            Kind = kind,
            Length = kind == IsoEntryKind.File ? extents.Sum(extent => extent.Length) : 0,
            Permissions = use.Mode is { } mode ? (UnixFileMode)(mode & 0xFFF) : DefaultMode(directory),
            Uid = use.Uid,
            Gid = use.Gid,
            ModifiedAt = use.ModifiedAt ?? Time(record[18..]),
            LinkTarget = kind == IsoEntryKind.Symlink ? use.LinkTarget ?? "" : null,
            Device = kind == IsoEntryKind.Device ? use.DeviceNumbers() : null,
            Extents = kind == IsoEntryKind.File ? [.. extents] : [],
            Folder = kind == IsoEntryKind.Directory ? FolderOf(record, use) : default,
        };
    }

    private (uint Sector, uint Length) FolderOf(ReadOnlySpan<byte> record, SystemUse use)
    {
        if (use.ChildLink is not { } sector) return (IsoImage.U32(record, 2), IsoImage.U32(record, 10));
        // Rock Ridge's deep folders are moved elsewhere; only their own record knows their size.
        return (sector, IsoImage.U32(SelfRecord(image, sector), 10));
    }

    private static IsoEntryKind Kind(bool directory, SystemUse use)
    {
        if (directory) return IsoEntryKind.Directory;
        return (use.Mode & MediaModes.TypeMask) switch
        {
            MediaModes.TypeSymlink => IsoEntryKind.Symlink,
            null or MediaModes.TypeFile => IsoEntryKind.File,
            // A folder by its mode but not by its record, pipes, sockets: nothing to read.
            _ => IsoEntryKind.Device,
        };
    }

    private static UnixFileMode DefaultMode(bool directory)
    {
        const UnixFileMode Read = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        const UnixFileMode Search = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return directory ? Read | Search : Read;
    }

    private string Identifier(ReadOnlySpan<byte> identifier, bool directory)
    {
        string name = names == IsoNames.Joliet
            ? Encoding.BigEndianUnicode.GetString(identifier)
            : Encoding.Latin1.GetString(identifier);
        if (directory) return name;
        int version = name.LastIndexOf(';');
        if (version >= 0) name = name[..version];
        return names == IsoNames.Joliet || name == "." ? name : name.TrimEnd('.');
    }
}
