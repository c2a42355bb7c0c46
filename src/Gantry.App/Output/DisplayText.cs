using System.Globalization;
using System.Text;

namespace Gantry.App.Output;

/// <summary>Text as a terminal shows it: its width in columns, cut to fit, without what moves the cursor.</summary>
internal static class DisplayText
{
    /// <summary>Longer lines than any terminal shows are cut before anything else looks at them.</summary>
    private const int LongestLine = 2000;

    // East Asian Width W and F (UAX #11), as coarse ranges: a column too many in a rare script does no harm.
    private static readonly (int First, int Last)[] Wide =
    [
        (0x1100, 0x115F), (0x2E80, 0x303E), (0x3041, 0xA4CF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE30, 0xFE6F),
        (0xFF00, 0xFF60), (0xFFE0, 0xFFE6), (0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF),
        (0x20000, 0x3FFFD),
    ];

    /// <summary>Columns that cleaned text takes.</summary>
    public static int Width(string text)
    {
        if (IsPlain(text))
            return text.Length;
        var width = 0;
        foreach (var rune in text.EnumerateRunes())
            width += Width(rune);
        return width;
    }

    /// <summary>The text, or its beginning and a tilde, in at most <paramref name="columns"/> columns.</summary>
    public static string Cut(string text, int columns)
    {
        if (Width(text) <= columns)
            return text;
        if (columns <= 0)
            return "";
        var cut = new StringBuilder();
        var width = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (width + Width(rune) > columns - 1)
                break;
            cut.Append(rune);
            width += Width(rune);
        }

        return cut.Append('~').ToString();
    }

    /// <summary>Fills up with blanks to <paramref name="columns"/> columns.</summary>
    public static string Pad(string text, int columns, bool right = false)
    {
        var blanks = new string(' ', Math.Max(0, columns - Width(text)));
        return right ? blanks + text : text + blanks;
    }

    /// <summary>
    /// One line of foreign text, such as a guest's console, made harmless: escape sequences (ECMA-48) and control
    /// characters are gone, and of what carriage returns wrote over each other the last is left.
    /// </summary>
    public static string Clean(string line)
    {
        if (line.Length <= LongestLine && IsPlain(line))
            return line.TrimEnd(' ');
        var text = line.AsSpan(0, Math.Min(line.Length, LongestLine)).TrimEnd("\r\n ");
        var clean = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\e' || c == '\u009b')
                i = EndOfEscape(text, i);
            else if (c == '\r')
                clean.Clear();
            else if (c == '\b')
                clean.Length = Math.Max(0, clean.Length - 1);
            else if (c is '\t' or '\n')
                clean.Append(' ');
            else if (!char.IsControl(c) && !IsDirectional(c))
                clean.Append(char.IsSurrogate(c) && !IsPaired(text, i) ? '?' : c);
        }

        return clean.ToString();
    }

    /// <summary>Whether every character is one column of ASCII, as nearly all text is.</summary>
    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    /// <summary>Marks that make a terminal show letters in another order than they stand in.</summary>
    private static bool IsDirectional(char c) => c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    private static bool IsPaired(ReadOnlySpan<char> text, int i) =>
        char.IsHighSurrogate(text[i])
            ? i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])
            : i > 0 && char.IsHighSurrogate(text[i - 1]);

    /// <summary>The index of the last character of the sequence that begins at <paramref name="start"/>.</summary>
    private static int EndOfEscape(ReadOnlySpan<char> text, int start)
    {
        var i = start;
        var introducer = text[i] == '\u009b' ? '[' : ++i < text.Length ? text[i] : '\0';
        i++;
        switch (introducer)
        {
            case '[':
                while (i < text.Length && text[i] is not (>= '@' and <= '~'))
                    i++;
                return i;
            case ']' or 'P' or '_' or '^' or 'X':
                // Ends with BEL or with ESC \.
                while (i < text.Length && text[i] != '\a' && !(text[i] == '\\' && text[i - 1] == '\e'))
                    i++;
                return i;
            case >= ' ' and <= '/':
                // Intermediates, then one final character: the choice of a character set, for example.
                while (i < text.Length && text[i] is >= ' ' and <= '/')
                    i++;
                return i;
            default:
                return i - 1;
        }
    }

    private static int Width(Rune rune)
    {
        if (rune.IsAscii)
            return Rune.IsControl(rune) ? 0 : 1;
        if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.Format or UnicodeCategory.Control)
            return 0;
        foreach (var (first, last) in Wide)
        {
            if (rune.Value >= first && rune.Value <= last)
                return 2;
        }

        return 1;
    }
}
