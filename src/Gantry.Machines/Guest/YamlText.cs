using System.Globalization;
using System.Text;

namespace Gantry.Machines.Guest;

/// <summary>Writes text as a scalar of YAML.</summary>
internal static class YamlText
{
    /// <summary>
    /// A double-quoted scalar on one line, which holds any text. Plain scalars are never written: what YAML 1.1
    /// readers take for numbers, dates and truth values (<c>no</c>, <c>1_000</c>, <c>12:30</c>) is too long a list.
    /// </summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                _ when MustEscape(c) => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>Controls, YAML's other line ends, the byte order mark and non-characters. Surrogates stay: in pairs
    /// they are characters beyond the first plane, and escaped one by one a reader would take them for two.</summary>
    private static bool MustEscape(char c) =>
        c < ' ' || c is (>= '\u007F' and <= '\u009F') or '\u2028' or '\u2029' or '\uFEFF' or '\uFFFE' or '\uFFFF';
}
