using System.Globalization;
using System.Text.RegularExpressions;

namespace Gantry.Storage.Appliances;

/// <summary>
/// Units of memory and disks: DMTF's (DSP0004, appendix C: <c>byte * 2^20</c>) and the words of older writers.
/// </summary>
public static partial class OvfUnits
{
    /// <summary>Bytes of one unit; null when it is none, or not one of bytes.</summary>
    public static long? Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return 1;
        var word = text.Trim().ToLowerInvariant();
        long? named = word switch
        {
            "byte" or "bytes" => 1,
            "kb" or "kilobyte" or "kilobytes" => 1L << 10,
            "mb" or "megabyte" or "megabytes" => 1L << 20,
            "gb" or "gigabyte" or "gigabytes" => 1L << 30,
            "tb" or "terabyte" or "terabytes" => 1L << 40,
            _ => null,
        };
        if (named is not null)
            return named;
        var match = Programmatic().Match(word);
        if (!match.Success)
            return null;
        var bytes = 1L;
        foreach (Capture factor in match.Groups["factor"].Captures)
        {
            if (Factor(factor.Value) is not { } value || bytes > (1L << 60) / value)
                return null;
            bytes *= value;
        }

        return bytes;
    }

    /// <summary>The product, or null where it is more than a disk or a memory can have (2^60 bytes).</summary>
    public static long? Multiply(long quantity, long unit) =>
        quantity < 0 || unit <= 0 || quantity > (1L << 60) / unit ? null : quantity * unit;

    private static long? Factor(string text)
    {
        var caret = text.IndexOf('^', StringComparison.Ordinal);
        if (caret < 0)
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var plain) && plain > 0
                ? plain : null;
        var exponent = int.Parse(text[(caret + 1)..], CultureInfo.InvariantCulture);
        var value = 1L;
        for (var i = 0; i < exponent; i++)
        {
            if (value > 1L << 56)
                return null;
            value *= text[0] == '2' ? 2 : 10;
        }

        return value;
    }

    [GeneratedRegex(@"\Abytes?(\s*\*\s*(?<factor>(2|10)\^[0-9]{1,2}|[0-9]{1,15}))+\z")]
    private static partial Regex Programmatic();
}
