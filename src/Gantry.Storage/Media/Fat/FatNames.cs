using System.Buffers;
using System.Globalization;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>Short names and the entries that carry long ones (VFAT).</summary>
internal static class FatNames
{
    public const byte AttributeVolume = 0x08, AttributeDirectory = 0x10, AttributeArchive = 0x20, AttributeLong = 0x0F;
    public const int CharactersPerEntry = 13;
    public const int MaxLong = 255;

    private const string ShortSpecials = "!#$%&'()-@^_`{}~";
    private const string NeverAllowed = "\"*/:<>?\\|";
    private static readonly SearchValues<char> Never = SearchValues.Create(NeverAllowed);

    /// <summary>Where the thirteen characters lie in an entry.</summary>
    private static readonly int[] Positions = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];

    public static void Check(string name, string path)
    {
        if (name.AsSpan().ContainsAny(Never) || name.Any(c => c < ' ') || name[^1] is '.' or ' ' || name[0] == ' ')
            throw new MediaException(
                $"FAT cannot hold the name '{path}': none of {NeverAllowed}, no space in front, no dot or space at "
                + "the end");
        if (name.Length > MaxLong)
            throw new MediaException($"FAT cannot hold the name '{path}': more than {MaxLong} characters");
    }

    public static string Label(string label)
    {
        string upper = Upper(label);
        bool valid = label.Length is > 0 and <= 11 && label.Trim() == label
            && upper.All(c => c == ' ' || IsShort(c));
        if (!valid)
            throw new MediaException(
                $"the FAT label '{label}' must be 1 to 11 letters, digits, inner spaces or any of {ShortSpecials}");
        return upper;
    }

    /// <summary>
    /// How well a name serves as its own alias. Better names choose first, so that no made alias takes theirs.
    /// </summary>
    public enum Fitness
    {
        /// <summary>It is a short name; no long entries are needed.</summary>
        Exact,

        /// <summary>Only its case differs.</summary>
        Case,

        /// <summary>The alias is another name.</summary>
        Alias,
    }

    public static Fitness Rate(string name)
    {
        (string stem, string extension) = Parts(name);
        bool fits = stem.Length is > 0 and <= 8 && extension.Length <= 3
            && name.Equals(extension.Length > 0 ? $"{stem}.{extension}" : stem, StringComparison.OrdinalIgnoreCase);
        if (!fits) return Fitness.Alias;
        return name == Upper(name) ? Fitness.Exact : Fitness.Case;
    }

    /// <summary>
    /// The eleven bytes of an alias that is not taken yet; unless exact, the name needs long entries too.
    /// </summary>
    public static byte[] Short(string name, HashSet<string> taken)
    {
        (string stem, string extension) = Parts(name);
        extension = extension[..Math.Min(3, extension.Length)].PadRight(3);
        for (int number = Rate(name) == Fitness.Alias ? 1 : 0; ; number++)
        {
            string tail = number == 0 ? "" : "~" + number.ToString(CultureInfo.InvariantCulture);
            string alias = (stem[..Math.Min(stem.Length, 8 - tail.Length)] + tail).PadRight(8) + extension;
            if (taken.Add(alias)) return Encoding.ASCII.GetBytes(alias);
        }
    }

    /// <summary>The entries before the short one: the name's last part first.</summary>
    public static IEnumerable<byte[]> Long(string name, byte[] alias)
    {
        byte checksum = Checksum(alias);
        int count = (name.Length + CharactersPerEntry - 1) / CharactersPerEntry;
        for (int part = count; part >= 1; part--)
        {
            byte[] entry = new byte[FatGeometry.EntrySize];
            entry[0] = (byte)(part | (part == count ? 0x40 : 0));
            entry[11] = AttributeLong;
            entry[13] = checksum;
            for (int i = 0; i < CharactersPerEntry; i++)
            {
                int at = (part - 1) * CharactersPerEntry + i;
                // One zero ends the name, the rest is filled with ones.
                char c = at < name.Length ? name[at] : at == name.Length ? '\0' : '\uFFFF';
                BitConverter.TryWriteBytes(entry.AsSpan(Positions[i]), c);
            }
            yield return entry;
        }
    }

    public static string LongPart(ReadOnlySpan<byte> entry)
    {
        var part = new StringBuilder(CharactersPerEntry);
        foreach (int position in Positions)
        {
            char c = (char)BitConverter.ToUInt16(entry[position..]);
            if (c == '\0') break;
            part.Append(c);
        }
        return part.ToString();
    }

    public static string FromShort(ReadOnlySpan<byte> entry)
    {
        // Windows NT keeps "all small letters" in two bits instead of a long name.
        const byte SmallStem = 0x08, SmallExtension = 0x10;
        // A first byte 0xE5 would mean "deleted".
        byte[] bytes = entry[..11].ToArray();
        if (bytes[0] == 0x05) bytes[0] = 0xE5;
        string stem = Encoding.Latin1.GetString(bytes, 0, 8).TrimEnd(' ');
        string extension = Encoding.Latin1.GetString(bytes, 8, 3).TrimEnd(' ');
        if ((entry[12] & SmallStem) != 0) stem = stem.ToLowerInvariant();
        if ((entry[12] & SmallExtension) != 0) extension = extension.ToLowerInvariant();
        return extension.Length == 0 ? stem : $"{stem}.{extension}";
    }

    public static byte Checksum(ReadOnlySpan<byte> alias)
    {
        byte sum = 0;
        foreach (byte b in alias) sum = (byte)((sum >> 1 | sum << 7) + b);
        return sum;
    }

    private static bool IsShort(char c) =>
        c is >= 'A' and <= 'Z' or >= '0' and <= '9' || ShortSpecials.Contains(c, StringComparison.Ordinal);

    /// <summary>What short names can show of stem and extension, not yet shortened.</summary>
    private static (string Stem, string Extension) Parts(string name)
    {
        int dot = name.LastIndexOf('.');
        return dot <= 0 ? (Clean(name), "") : (Clean(name[..dot]), Clean(name[(dot + 1)..]));
    }

    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (char c in Upper(text))
        {
            if (c is ' ' or '.') continue;
            clean.Append(IsShort(c) ? c : '_');
        }
        return clean.ToString();
    }

    private static string Upper(string text) =>
        string.Create(text.Length, text, static (target, source) =>
        {
            for (int i = 0; i < target.Length; i++)
                target[i] = source[i] is >= 'a' and <= 'z' ? (char)(source[i] - 32) : source[i];
        });
}
