using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Gantry.Hcl.Functions;

/// <summary>The ways in which templates write times: RFC 3339, HCL's letters, Go's reference time, strftime.</summary>
internal static partial class TimeFormats
{
    private static readonly CultureInfo English = CultureInfo.InvariantCulture;

    public static string Rfc3339(DateTimeOffset time) =>
        time.ToString("yyyy-MM-dd'T'HH:mm:ss", English) + Zone(time, ":", utc: "Z");

    /// <exception cref="HclException">The text is not an RFC 3339 time.</exception>
    public static DateTimeOffset ParseRfc3339(string text, int argument)
    {
        var match = Rfc3339Pattern().Match(text);
        if (!match.Success)
            throw Fault();
        var zone = match.Groups["zone"].Value;
        var fraction = match.Groups["fraction"].Value;
        var normal = $"{match.Groups["time"].Value}{(fraction.Length > 8 ? fraction[..8] : fraction)}{(zone is "Z" ? "+00:00" : zone)}";
        string[] formats = ["yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz"];
        return DateTimeOffset.TryParseExact(normal, formats, English, DateTimeStyles.None, out var time) ? time : throw Fault();

        HclException Fault() => new(
            argument, $"not a valid RFC3339 timestamp: \"{text}\"; write it like 2006-01-02T15:04:05Z");
    }

    /// <summary>Go's zone in the given form, or <paramref name="utc"/> at offset zero.</summary>
    public static string Zone(DateTimeOffset time, string separator, string? utc = null)
    {
        if (time.Offset == TimeSpan.Zero && utc is not null)
            return utc;
        var minutes = Math.Abs((int)time.Offset.TotalMinutes);
        return $"{(time.Offset < TimeSpan.Zero ? '-' : '+')}{minutes / 60:00}{separator}{minutes % 60:00}";
    }

    /// <summary>HCL's <c>formatdate</c>: runs of one letter are verbs, quotes hold text.</summary>
    public static string Hcl(string format, DateTimeOffset time)
    {
        var result = new StringBuilder();
        for (var i = 0; i < format.Length;)
        {
            var c = format[i];
            if (c == '\'')
            {
                i = Quoted(format, i, result);
                continue;
            }
            if (!char.IsAsciiLetter(c))
            {
                result.Append(c);
                i++;
                continue;
            }
            var end = i;
            while (end < format.Length && format[end] == c)
                end++;
            result.Append(HclVerb(format[i..end], time));
            i = end;
        }
        return result.ToString();
    }

    private static int Quoted(string format, int start, StringBuilder result)
    {
        if (start + 1 < format.Length && format[start + 1] == '\'')
        {
            result.Append('\'');
            return start + 2;
        }
        for (var i = start + 1; i < format.Length; i++)
        {
            if (format[i] != '\'')
                result.Append(format[i]);
            else if (i + 1 < format.Length && format[i + 1] == '\'')
                result.Append(format[i++]);
            else
                return i + 1;
        }
        throw new HclException(0, "a quote (') is opened and not closed");
    }

    private static string HclVerb(string verb, DateTimeOffset time) => verb switch
    {
        "YYYY" => time.Year.ToString("0000", English),
        "YY" => (time.Year % 100).ToString("00", English),
        "MMMM" => time.ToString("MMMM", English),
        "MMM" => time.ToString("MMM", English),
        "MM" => time.Month.ToString("00", English),
        "M" => time.Month.ToString(English),
        "DD" => time.Day.ToString("00", English),
        "D" => time.Day.ToString(English),
        "EEEE" => time.ToString("dddd", English),
        "EEE" => time.ToString("ddd", English),
        "hh" => time.Hour.ToString("00", English),
        "h" => time.Hour.ToString(English),
        "HH" => Hour12(time).ToString("00", English),
        "H" => Hour12(time).ToString(English),
        "AA" => time.Hour < 12 ? "AM" : "PM",
        "aa" => time.Hour < 12 ? "am" : "pm",
        "mm" => time.Minute.ToString("00", English),
        "m" => time.Minute.ToString(English),
        "ss" => time.Second.ToString("00", English),
        "s" => time.Second.ToString(English),
        "ZZZZZ" => Zone(time, ":"),
        "ZZZZ" => Zone(time, ""),
        "ZZZ" => Zone(time, "", "UTC"),
        "Z" => Zone(time, ":", "Z"),
        _ => throw new HclException(0, $"there is no date format verb \"{verb}\"{Expected(verb[0])}"),
    };

    private static string Expected(char letter) => letter switch
    {
        'Y' => ": year must either be \"YYYY\" or \"YY\"",
        'M' => ": month must be \"M\", \"MM\", \"MMM\", or \"MMMM\"",
        'D' => ": day of month must either be \"D\" or \"DD\"",
        'E' => ": day of week must either be \"EEE\" or \"EEEE\"",
        'h' or 'H' => ": hour must be one or two letters \"h\" (24 hours) or \"H\" (12 hours)",
        'A' or 'a' => ": half of the day must be \"AA\" or \"aa\"",
        'm' => ": minute must either be \"m\" or \"mm\"",
        's' => ": second must either be \"s\" or \"ss\"",
        'Z' => ": timezone must be \"Z\", \"ZZZ\", \"ZZZZ\", or \"ZZZZZ\"",
        _ => "; put plain text in single quotes",
    };

    private static int Hour12(DateTimeOffset time) => time.Hour % 12 == 0 ? 12 : time.Hour % 12;

    // Longest first: a shorter chunk would else take a part of a longer one.
    private static readonly (string Chunk, Func<DateTimeOffset, string> Write)[] GoChunks =
    [
        ("January", time => time.ToString("MMMM", English)),
        ("Monday", time => time.ToString("dddd", English)),
        ("Z07:00", time => Zone(time, ":", "Z")),
        ("-07:00", time => Zone(time, ":")),
        ("Z0700", time => Zone(time, "", "Z")),
        ("-0700", time => Zone(time, "")),
        ("2006", time => time.Year.ToString("0000", English)),
        ("Jan", time => time.ToString("MMM", English)),
        ("Mon", time => time.ToString("ddd", English)),
        ("MST", time => Zone(time, "", "UTC")),
        ("-07", time => Zone(time, "")[..3]),
        ("002", time => time.DayOfYear.ToString("000", English)),
        ("01", time => time.Month.ToString("00", English)),
        ("02", time => time.Day.ToString("00", English)),
        ("03", time => Hour12(time).ToString("00", English)),
        ("04", time => time.Minute.ToString("00", English)),
        ("05", time => time.Second.ToString("00", English)),
        ("06", time => (time.Year % 100).ToString("00", English)),
        ("15", time => time.Hour.ToString("00", English)),
        ("PM", time => time.Hour < 12 ? "AM" : "PM"),
        ("pm", time => time.Hour < 12 ? "am" : "pm"),
        ("_2", time => time.Day.ToString(English).PadLeft(2)),
        ("1", time => time.Month.ToString(English)),
        ("2", time => time.Day.ToString(English)),
        ("3", time => Hour12(time).ToString(English)),
        ("4", time => time.Minute.ToString(English)),
        ("5", time => time.Second.ToString(English)),
    ];

    /// <summary>A layout of Go, which shows how Monday, 2 January 2006, 15:04:05 would look.</summary>
    public static string Go(string layout, DateTimeOffset time)
    {
        var result = new StringBuilder();
        for (var i = 0; i < layout.Length;)
        {
            if (FractionLength(layout, i) is > 1 and var length)
            {
                result.Append(Fraction(layout.Substring(i, length), time));
                i += length;
                continue;
            }
            var known = GoChunks.FirstOrDefault(
                chunk => string.CompareOrdinal(layout, i, chunk.Chunk, 0, chunk.Chunk.Length) == 0);
            result.Append(known.Write is null ? layout[i].ToString() : known.Write(time));
            i += known.Write is null ? 1 : known.Chunk.Length;
        }
        return result.ToString();
    }

    // A point or comma and a run of zeros or nines, which no digit follows.
    private static int FractionLength(string layout, int at)
    {
        if (layout[at] is not ('.' or ',') || at + 1 >= layout.Length || layout[at + 1] is not ('0' or '9'))
            return 0;
        var end = at + 1;
        while (end < layout.Length && layout[end] == layout[at + 1])
            end++;
        return end < layout.Length && char.IsAsciiDigit(layout[end]) ? 0 : end - at;
    }

    private static string Fraction(string chunk, DateTimeOffset time)
    {
        var nanoseconds = (time.Ticks % TimeSpan.TicksPerSecond * 100).ToString("000000000", English);
        var digits = nanoseconds.PadRight(chunk.Length, '0')[..(chunk.Length - 1)];
        if (chunk[1] == '0')
            return chunk[0] + digits;
        digits = digits.TrimEnd('0');
        return digits.Length == 0 ? "" : chunk[0] + digits;
    }

    /// <summary>strftime; an unknown directive stays as it is.</summary>
    public static string Strftime(string format, DateTimeOffset time)
    {
        var result = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 >= format.Length)
            {
                result.Append(format[i]);
                continue;
            }
            result.Append(Directive(format[++i], time));
        }
        return result.ToString();
    }

    private static string Directive(char letter, DateTimeOffset time) => letter switch
    {
        'a' => time.ToString("ddd", English),
        'A' => time.ToString("dddd", English),
        'b' or 'h' => time.ToString("MMM", English),
        'B' => time.ToString("MMMM", English),
        'c' => time.ToString("ddd MMM d HH:mm:ss yyyy", English),
        'C' => (time.Year / 100).ToString("00", English),
        'd' => time.Day.ToString("00", English),
        'e' => time.Day.ToString(English).PadLeft(2),
        'D' or 'x' => time.ToString("MM'/'dd'/'yy", English),
        'f' => (time.Ticks % TimeSpan.TicksPerSecond / 10).ToString("000000", English),
        'F' => time.ToString("yyyy-MM-dd", English),
        'H' => time.Hour.ToString("00", English),
        'I' => Hour12(time).ToString("00", English),
        'j' => time.DayOfYear.ToString("000", English),
        'L' => time.Millisecond.ToString("000", English),
        'm' => time.Month.ToString("00", English),
        'M' => time.Minute.ToString("00", English),
        'n' => "\n",
        'p' => time.Hour < 12 ? "AM" : "PM",
        's' => time.ToUnixTimeSeconds().ToString(English),
        'S' => time.Second.ToString("00", English),
        't' => "\t",
        'T' or 'X' => time.ToString("HH:mm:ss", English),
        'R' => time.ToString("HH:mm", English),
        'w' => ((int)time.DayOfWeek).ToString(English),
        'y' => (time.Year % 100).ToString("00", English),
        'Y' => time.Year.ToString(English),
        'z' => Zone(time, ""),
        'Z' => Zone(time, "", "UTC"),
        '%' => "%",
        _ => "%" + letter,
    };

    [GeneratedRegex(@"^(?<time>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?<fraction>\.\d{1,30})?(?<zone>Z|[+-]\d{2}:\d{2})\z", RegexOptions.ECMAScript)]
    private static partial Regex Rfc3339Pattern();
}
