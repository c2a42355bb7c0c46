using System.Globalization;

namespace Gantry.App.Output;

/// <summary>Sizes and times in words for a person.</summary>
internal static class Quantities
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Binary units with at most one decimal: <c>512 B</c>, <c>1.5 KiB</c>, <c>120 MiB</c>.</summary>
    public static string Bytes(double bytes)
    {
        var unit = 0;
        // 999.5 would be rounded to four digits.
        while (bytes >= 999.5 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        var format = unit == 0 || bytes >= 99.95 ? "0" : "0.#";
        return bytes.ToString(format, CultureInfo.InvariantCulture) + " " + Units[unit];
    }

    /// <summary><c>0.4 s</c>, <c>12 s</c>, <c>3 min 05 s</c>, <c>2 h 10 min</c>.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 9.95 } => time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s",
        { TotalSeconds: < 59.5 } => time.TotalSeconds.ToString("0", CultureInfo.InvariantCulture) + " s",
        { TotalMinutes: < 60 } => Pair(Math.Round(time.TotalSeconds), 60, "min", "s"),
        _ => Pair(Math.Floor(time.TotalMinutes), 60, "h", "min"),
    };

    private static string Pair(double value, int ratio, string large, string small) =>
        string.Create(CultureInfo.InvariantCulture, $"{(long)value / ratio} {large} {(long)value % ratio:00} {small}");
}
