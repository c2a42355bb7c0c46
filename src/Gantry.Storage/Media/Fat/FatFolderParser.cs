using System.Buffers.Binary;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>Reads a folder's entries: short ones, and the long names before them where their checksum fits.</summary>
internal static class FatFolderParser
{
    public static List<FatEntry> Parse(FatEntry folder, byte[] bytes, FatGeometry geometry)
    {
        var entries = new List<FatEntry>();
        var longName = new LongName();
        for (int at = 0; at + FatGeometry.EntrySize <= bytes.Length; at += FatGeometry.EntrySize)
        {
            ReadOnlySpan<byte> entry = bytes.AsSpan(at, FatGeometry.EntrySize);
            if (entry[0] == 0) break;
            if (entry[0] == 0xE5)
            {
                longName.Clear();
                continue;
            }
            if ((entry[11] & 0x3F) == FatNames.AttributeLong)
            {
                longName.Take(entry);
                continue;
            }
            string shortName = FatNames.FromShort(entry);
            string name = longName.For(entry[..11]) ?? shortName;
            longName.Clear();
            if ((entry[11] & FatNames.AttributeVolume) != 0 || shortName is "." or "..") continue;
            entries.Add(Entry(folder, entry, name, shortName, geometry));
        }
        return entries;
    }

    private static FatEntry Entry(
        FatEntry folder, ReadOnlySpan<byte> entry, string name, string shortName, FatGeometry geometry)
    {
        if (name is "" or "." or ".." || name.Contains('/', StringComparison.Ordinal)
            || name.Contains('\0', StringComparison.Ordinal))
            throw new FatFormatException($"the folder '/{folder.Path}' has an entry with the impossible name '{name}'");
        bool directory = (entry[11] & FatNames.AttributeDirectory) != 0;
        uint cluster = BinaryPrimitives.ReadUInt16LittleEndian(entry[26..]);
        if (geometry.Kind == FatKind.Fat32)
            cluster |= (uint)(BinaryPrimitives.ReadUInt16LittleEndian(entry[20..]) & 0x0FFF) << 16;
        return new FatEntry
        {
            Path = folder.Path.Length == 0 ? name : $"{folder.Path}/{name}",
            ShortName = shortName,
            IsDirectory = directory,
            Length = directory ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(entry[28..]),
            ModifiedAt = Time(
                BinaryPrimitives.ReadUInt16LittleEndian(entry[24..]),
                BinaryPrimitives.ReadUInt16LittleEndian(entry[22..])),
            Cluster = cluster,
        };
    }

    private static DateTimeOffset? Time(int date, int clock)
    {
        int year = 1980 + (date >> 9), month = date >> 5 & 0x0F, day = date & 0x1F;
        int hour = clock >> 11, minute = clock >> 5 & 0x3F, second = (clock & 0x1F) * 2;
        bool valid = month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, Math.Clamp(month, 1, 12))
            && hour < 24 && minute < 60 && second < 60;
        return valid ? new DateTimeOffset(year, month, day, hour, minute, second, TimeSpan.Zero) : null;
    }

    /// <summary>Collects the parts of a long name, which come last part first.</summary>
    private sealed class LongName
    {
        private readonly List<string> _parts = [];
        private int _expected;
        private byte _checksum;

        public void Clear()
        {
            _parts.Clear();
            _expected = 0;
        }

        public void Take(ReadOnlySpan<byte> entry)
        {
            const int MaxParts = 20;
            int number = entry[0] & 0x1F;
            if ((entry[0] & 0x40) != 0)
            {
                Clear();
                _expected = number <= MaxParts ? number : 0;
                _checksum = entry[13];
            }
            if (_expected == 0 || number != _expected || entry[13] != _checksum)
            {
                Clear();
                return;
            }
            _parts.Add(FatNames.LongPart(entry));
            _expected--;
            // The first part is the last to come; a further one would not belong to it.
            if (_expected == 0) _expected = -1;
        }

        /// <summary>The name, if it is whole and belongs to this alias.</summary>
        public string? For(ReadOnlySpan<byte> alias)
        {
            if (_expected != -1 || FatNames.Checksum(alias) != _checksum) return null;
            return string.Concat(Enumerable.Reverse(_parts));
        }
    }
}
