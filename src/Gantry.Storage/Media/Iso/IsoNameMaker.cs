using System.Globalization;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// Names that plain ISO 9660 and Joliet allow, made from any name, unique in their folder. Names keep their order of
/// preference by being assigned in sorted order, so that the result does not depend on anything but the names.
/// </summary>
internal static class IsoNameMaker
{
    // ECMA-119 levels 2 and 3: name and extension together.
    private const int MaxPlainFile = 30;
    private const int MaxPlainDirectory = 31;

    // The Joliet text says 64; 103 is what fits a path of Windows and what mkisofs calls long Joliet names. Driver
    // folders for Windows have such names.
    private const int MaxJoliet = 103;

    /// <summary>Identifiers for all children of a folder, in the children's order.</summary>
    public static byte[][] Plain(IReadOnlyList<IsoItem> children)
    {
        var taken = new Taken(StringComparer.Ordinal);
        return [.. children.Select(child => Encoding.ASCII.GetBytes(PlainName(child, taken)))];
    }

    /// <summary>As <see cref="Plain"/>, in big-endian UTF-16.</summary>
    public static byte[][] Joliet(IReadOnlyList<IsoItem> children)
    {
        // Windows compares names without case.
        var taken = new Taken(StringComparer.OrdinalIgnoreCase);
        return [.. children.Select(child => Encoding.BigEndianUnicode.GetBytes(JolietName(child, taken)))];
    }

    private static string PlainName(IsoItem item, Taken taken)
    {
        if (item.IsDirectory)
        {
            string clean = Clean(item.Name);
            return taken.Unique(n => n == 0 ? Cut(clean, MaxPlainDirectory) : Tail(clean, n, MaxPlainDirectory));
        }
        int dot = item.Name.LastIndexOf('.');
        if (dot <= 0) dot = item.Name.Length;
        string stem = Clean(item.Name[..dot]);
        string extension = dot < item.Name.Length ? Clean(item.Name[(dot + 1)..]) : "";
        if (stem.Length + extension.Length > MaxPlainFile) extension = Cut(extension, 8);
        int room = MaxPlainFile - extension.Length;
        // A file must not differ from a folder by the empty extension only: readers strip ".;1".
        string found = taken.Unique(
            n => (n == 0 ? Cut(stem, room) : Tail(stem, n, room)) + (extension.Length == 0 ? "" : "." + extension));
        return (extension.Length == 0 ? found + "." : found) + ";1";
    }

    private static string JolietName(IsoItem item, Taken taken)
    {
        var clean = new StringBuilder(item.Name.Length);
        foreach (char c in item.Name)
            clean.Append(c < ' ' || "*/:;?\\".Contains(c, StringComparison.Ordinal) ? '_' : c);
        string name = clean.ToString();
        int dot = item.IsDirectory ? -1 : name.LastIndexOf('.');
        // A longer "extension" is part of the name; keeping it whole would leave no room to shorten.
        if (dot <= 0 || name.Length - dot > 16) dot = name.Length;
        string stem = name[..dot], extension = name[dot..];
        int room = MaxJoliet - extension.Length;
        string found = taken.Unique(n => (n == 0 ? Cut(stem, room) : Tail(stem, n, room)) + extension);
        return item.IsDirectory ? found : found + ";1";
    }

    private static string Tail(string stem, int number, int room)
    {
        string digits = "_" + number.ToString("D3", CultureInfo.InvariantCulture);
        return Cut(stem, room - digits.Length) + digits;
    }

    private static string Cut(string text, int length)
    {
        if (text.Length <= length) return text;
        return char.IsHighSurrogate(text[length - 1]) ? text[..(length - 1)] : text[..length];
    }

    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            char upper = c is >= 'a' and <= 'z' ? (char)(c - 32) : c;
            clean.Append(upper is >= 'A' and <= 'Z' or >= '0' and <= '9' ? upper : '_');
        }
        return clean.ToString();
    }

    /// <summary>The names used in a folder, and where the numbering of each shortened name stands.</summary>
    private sealed class Taken(StringComparer comparer)
    {
        private readonly HashSet<string> _names = new(comparer);
        private readonly Dictionary<string, int> _next = new(comparer);

        public string Unique(Func<int, string> candidate)
        {
            string first = candidate(0);
            for (int n = _next.GetValueOrDefault(first); ; n++)
            {
                string name = candidate(n);
                if (!_names.Add(name)) continue;
                _next[first] = n + 1;
                return name;
            }
        }
    }
}
