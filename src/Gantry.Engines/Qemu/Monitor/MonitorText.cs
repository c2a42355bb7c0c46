using System.Globalization;
using System.Text.RegularExpressions;

namespace Gantry.Engines.Qemu.Monitor;

/// <summary>Reads what QEMU's human monitor prints.</summary>
internal static partial class MonitorText
{
    /// <summary>The byte in <c>portb[0x0064] = 0x1c</c>; null where the text is something else.</summary>
    public static byte? Port(string text) =>
        PortLine().Match(text) is { Success: true } m
            ? byte.Parse(m.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : null;

    /// <summary>
    /// The numbers in lines such as <c>000000000000041a: 0x001e 0x001e</c>; empty where there are none.
    /// </summary>
    public static uint[] Memory(string text) =>
        [.. text.Split('\n')
            .Select(line => (Line: line, Colon: line.IndexOf(':', StringComparison.Ordinal)))
            .Where(l => l.Colon > 0)
            .SelectMany(l => Number().Matches(l.Line[l.Colon..]))
            .Select(m => uint.Parse(m.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];

    /// <summary>CR0 in what <c>info registers</c> prints for x86; null where there is none.</summary>
    public static uint? Cr0(string text) =>
        Cr0Value().Match(text) is { Success: true } m
            ? uint.Parse(m.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : null;

    [GeneratedRegex(@"port[bwl]\[0x[0-9a-fA-F]+\] = 0x([0-9a-fA-F]{2})\b")]
    private static partial Regex PortLine();

    [GeneratedRegex(@"\b0x([0-9a-fA-F]{1,8})\b")]
    private static partial Regex Number();

    [GeneratedRegex(@"\bCR0=([0-9a-fA-F]{1,8})\b")]
    private static partial Regex Cr0Value();
}
