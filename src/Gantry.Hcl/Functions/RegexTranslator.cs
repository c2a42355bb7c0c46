using System.Text;

namespace Gantry.Hcl.Functions;

/// <summary>
/// Rewrites a regular expression of RE2, which HCL's functions take, into .NET's dialect. Lookarounds and
/// back-references exist in neither RE2 nor .NET's linear-time engine, which then refuses them.
/// </summary>
internal static class RegexTranslator
{
    private const string Space = @"\t\n\f\r ";
    private const string Word = "0-9A-Za-z_";

    public static string Translate(string pattern)
    {
        var result = new StringBuilder(pattern.Length + 16);
        for (var i = 0; i < pattern.Length;)
        {
            if (pattern[i] == '\\' && i + 1 < pattern.Length)
                i = Escape(pattern, i, result, inClass: false);
            else if (pattern[i] == '[')
                i = Class(pattern, i, result);
            else if (Has(pattern, i, "(?P<"))
                (i, _) = (i + 4, result.Append("(?<"));
            else if (pattern[i] == '$')
                // RE2's $ is the very end; .NET's also matches before a last line end. In (?m) both mean a line's end.
                (i, _) = (i + 1, result.Append(IsMultiline(pattern) ? "$" : @"\z"));
            else
                result.Append(pattern[i++]);
        }
        return result.ToString();
    }

    private static bool IsMultiline(string pattern)
    {
        for (var at = pattern.IndexOf("(?", StringComparison.Ordinal); at >= 0; at = pattern.IndexOf(
            "(?", at + 2, StringComparison.Ordinal))
        {
            for (var i = at + 2; i < pattern.Length && (char.IsAsciiLetter(pattern[i])); i++)
            {
                if (pattern[i] == 'm')
                    return true;
            }
        }
        return false;
    }

    private static bool Has(string text, int at, string part) =>
        string.CompareOrdinal(text, at, part, 0, part.Length) == 0;

    private static int Escape(string pattern, int at, StringBuilder result, bool inClass)
    {
        var c = pattern[at + 1];
        switch (c)
        {
            case 'd':
                result.Append(inClass ? "0-9" : "[0-9]");
                return at + 2;
            case 'w':
                result.Append(inClass ? Word : $"[{Word}]");
                return at + 2;
            case 's':
                result.Append(inClass ? Space : $"[{Space}]");
                return at + 2;
            case 'D' when !inClass:
                result.Append("[^0-9]");
                return at + 2;
            case 'W' when !inClass:
                result.Append($"[^{Word}]");
                return at + 2;
            case 'S' when !inClass:
                result.Append($"[^{Space}]");
                return at + 2;
            case 'Q' when !inClass:
                var end = pattern.IndexOf("\\E", at + 2, StringComparison.Ordinal);
                var literal = end < 0 ? pattern[(at + 2)..] : pattern[(at + 2)..end];
                result.Append(System.Text.RegularExpressions.Regex.Escape(literal));
                return end < 0 ? pattern.Length : end + 2;
            case 'p' or 'P' when at + 2 < pattern.Length && pattern[at + 2] != '{':
                result.Append('\\').Append(c).Append('{').Append(pattern[at + 2]).Append('}');
                return at + 3;
            case 'x' when at + 2 < pattern.Length && pattern[at + 2] == '{':
                return CodePoint(pattern, at, result);
            default:
                result.Append('\\').Append(c);
                return at + 2;
        }
    }

    private static int CodePoint(string pattern, int at, StringBuilder result)
    {
        var end = pattern.IndexOf('}', at);
        if (end < 0 || !int.TryParse(pattern.AsSpan(at + 3, end - at - 3), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var code) || !Rune.IsValid(code))
            throw new HclException("invalid escape sequence \\x{...} in the pattern");
        foreach (var unit in new Rune(code).ToString())
            result.Append($"\\u{(int)unit:X4}");
        return end + 1;
    }

    // [...], with POSIX names inside, and a leading ] as itself.
    private static int Class(string pattern, int at, StringBuilder result)
    {
        result.Append('[');
        var i = at + 1;
        if (i < pattern.Length && pattern[i] == '^')
            result.Append(pattern[i++]);
        for (var isFirst = true; i < pattern.Length && (pattern[i] != ']' || isFirst); isFirst = false)
        {
            if (pattern[i] == '\\' && i + 1 < pattern.Length)
            {
                i = Escape(pattern, i, result, inClass: true);
            }
            else if (Has(pattern, i, "[:") && pattern.IndexOf(":]", i, StringComparison.Ordinal) is > 0 and var end
                && Posix(pattern[(i + 2)..end]) is { } set)
            {
                result.Append(set);
                i = end + 2;
            }
            else
            {
                // .NET would read an inner bracket after a dash as a subtraction.
                if (pattern[i] is '[' or ']')
                    result.Append('\\');
                result.Append(pattern[i++]);
            }
        }
        if (i < pattern.Length)
            result.Append(pattern[i++]);
        return i;
    }

    private static string? Posix(string name) => name switch
    {
        "alnum" => "0-9A-Za-z",
        "alpha" => "A-Za-z",
        "ascii" => @"\x00-\x7F",
        "blank" => @"\t ",
        "cntrl" => @"\x00-\x1F\x7F",
        "digit" => "0-9",
        "graph" => "!-~",
        "lower" => "a-z",
        "print" => " -~",
        "punct" => @"!-/:-@\[-`{-~",
        "space" => @"\t\n\v\f\r ",
        "upper" => "A-Z",
        "word" => "0-9A-Za-z_",
        "xdigit" => "0-9A-Fa-f",
        _ => null,
    };
}
