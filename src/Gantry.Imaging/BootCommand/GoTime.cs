using System.Globalization;
using System.Text;

namespace Gantry.Imaging.BootCommand;

/// <summary>Go's way to write dates, by how the moment 2006-01-02 15:04:05 would look, and its durations.</summary>
internal static class GoTime
{
    public const string Rfc3339 = "2006-01-02T15:04:05Z07:00";

    /// <summary>Longer patterns before those that they begin with.</summary>
    private static readonly (string Pattern, Func<DateTimeOffset, string> Write)[] Patterns =
    [
        ("January", t => Custom(t, "MMMM")), ("Jan", t => Custom(t, "MMM")),
        ("Monday", t => Custom(t, "dddd")), ("Mon", t => Custom(t, "ddd")),
        ("MST", t => t.Offset == TimeSpan.Zero ? "UTC" : Custom(t, "zzz")),
        ("2006", t => Custom(t, "yyyy")),
        ("-07:00", t => Custom(t, "zzz")),
        ("-0700", t => Custom(t, "zzz").Replace(":", "", StringComparison.Ordinal)),
        ("Z07:00", t => t.Offset == TimeSpan.Zero ? "Z" : Custom(t, "zzz")),
        ("01", t => Custom(t, "MM")), ("02", t => Custom(t, "dd")), ("03", t => Custom(t, "hh")),
        ("04", t => Custom(t, "mm")), ("05", t => Custom(t, "ss")), ("06", t => Custom(t, "yy")),
        ("15", t => Custom(t, "HH")), ("PM", t => Custom(t, "tt")),
        ("1", t => Custom(t, "%M")), ("2", t => Custom(t, "%d")), ("3", t => Custom(t, "%h")),
        ("4", t => Custom(t, "%m")), ("5", t => Custom(t, "%s")),
    ];

    private static readonly (string Unit, decimal Ticks)[] Units =
    [
        ("ns", 0.01m), ("us", TimeSpan.TicksPerMicrosecond), ("µs", TimeSpan.TicksPerMicrosecond),
        ("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond),
        ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour),
    ];

    public static string Format(DateTimeOffset time, string layout)
    {
        var result = new StringBuilder();
        for (var at = 0; at < layout.Length;)
        {
            var rest = layout.AsSpan(at);
            var matched = false;
            foreach (var (pattern, write) in Patterns)
            {
                if (!rest.StartsWith(pattern, StringComparison.Ordinal))
                    continue;
                result.Append(write(time));
                at += pattern.Length;
                matched = true;
                break;
            }
            if (!matched)
                result.Append(layout[at++]);
        }
        return result.ToString();
    }

    /// <summary>
    /// Reads <c>90s</c>, <c>1m30s</c>, <c>1.5h</c>, <c>-1s</c>. False where it is none or longer than a year.
    /// </summary>
    public static bool TryParseDuration(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        var sign = 1;
        if (text is ['-' or '+', ..])
        {
            sign = text[0] == '-' ? -1 : 1;
            text = text[1..];
        }
        if (text is "0")
            return true;
        var ticks = 0m;
        var any = false;
        while (!text.IsEmpty)
        {
            var digits = 0;
            while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] == '.'))
                digits++;
            if (digits is 0 or > 12
                || !decimal.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var n))
            {
                return false;
            }
            text = text[digits..];
            var size = 0m;
            foreach (var (unit, unitTicks) in Units)
            {
                if (size != 0m || !text.StartsWith(unit, StringComparison.Ordinal))
                    continue;
                size = unitTicks;
                text = text[unit.Length..];
            }
            if (size == 0m)
                return false;
            ticks += n * size;
            any = true;
            if (ticks > 366 * TimeSpan.TicksPerDay)
                return false;
        }
        duration = TimeSpan.FromTicks((long)ticks * sign);
        return any;
    }

    private static string Custom(DateTimeOffset time, string format) =>
        time.ToString(format, CultureInfo.InvariantCulture);
}
