using System.Globalization;

namespace Gantry.Hcl.Functions;

/// <summary>Durations as Go writes them, such as <c>1h30m</c>, <c>-1.5h</c> or <c>300ms</c>.</summary>
public static class GoDuration
{
    /// <summary>Reads a duration; false where the text is none, or longer than about 292 years.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var rest = text.AsSpan();
        var sign = 1;
        if (rest.Length > 0 && rest[0] is '-' or '+')
        {
            sign = rest[0] == '-' ? -1 : 1;
            rest = rest[1..];
        }
        if (rest.SequenceEqual("0"))
            return true;
        if (rest.IsEmpty)
            return false;
        var ticks = 0m;
        while (!rest.IsEmpty)
        {
            var digits = 0;
            while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.'))
                digits++;
            if (digits is 0 or > 20 || digits == rest.Length
                || !decimal.TryParse(
                    rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
            {
                return false;
            }
            rest = rest[digits..];
            var (length, unit) = Unit(rest);
            if (length == 0 || amount > 1e19m)
                return false;
            ticks += amount * unit;
            rest = rest[length..];
        }
        if (ticks > long.MaxValue / 100)
            return false;
        duration = TimeSpan.FromTicks(sign * (long)ticks);
        return true;
    }

    // Length of the unit's name, and the unit in ticks of 100 ns.
    private static (int Length, decimal Ticks) Unit(ReadOnlySpan<char> text) => text switch
    {
        ['n', 's', ..] => (2, 0.01m),
        ['u' or '\u00B5' or '\u03BC', 's', ..] => (2, 10),
        ['m', 's', ..] => (2, TimeSpan.TicksPerMillisecond),
        ['s', ..] => (1, TimeSpan.TicksPerSecond),
        ['m', ..] => (1, TimeSpan.TicksPerMinute),
        ['h', ..] => (1, TimeSpan.TicksPerHour),
        _ => (0, 0),
    };
}
