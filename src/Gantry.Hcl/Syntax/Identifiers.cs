using System.Globalization;
using System.Text;

namespace Gantry.Hcl.Syntax;

/// <summary>Names as HCL has them: Unicode's ID_Start or an underscore, then ID_Continue or dashes.</summary>
public static class Identifiers
{
    /// <summary>Whether the whole of a text is one name.</summary>
    public static bool IsValid(string text) => text.Length > 0 && LengthAt(text, 0) == text.Length;

    /// <summary>Length of the name that starts at an index, or 0.</summary>
    internal static int LengthAt(string text, int start)
    {
        var at = start;
        while (at < text.Length)
        {
            var c = text[at];
            if (char.IsAsciiLetter(c) || c == '_' || (at > start && (char.IsAsciiDigit(c) || c == '-')))
            {
                at++;
                continue;
            }
            if (c < 0x80 || !Rune.TryGetRuneAt(text, at, out var rune) || !IsPart(rune, at > start))
                break;
            at += rune.Utf16SequenceLength;
        }
        return at - start;
    }

    private static bool IsPart(Rune rune, bool inside) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber => true,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
            or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation => inside,
        // Other_ID_Continue of the Unicode character database: the middle dots that words may hold.
        _ => inside && rune.Value is 0xB7 or 0x387,
    };
}
