using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>ECMA-119's ways to put numbers, times and strings.</summary>
internal static class IsoBytes
{
    public static int RoundUp(int value, int unit) => (value + unit - 1) / unit * unit;

    public static long RoundUp(long value, long unit) => (value + unit - 1) / unit * unit;

    /// <summary>7.2.3: little-endian, then big-endian.</summary>
    public static void Both16(Span<byte> target, ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(target, value);
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], value);
    }

    /// <summary>7.3.3: little-endian, then big-endian.</summary>
    public static void Both32(Span<byte> target, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, value);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], value);
    }

    /// <summary>9.1.5: seven bytes, in UTC. Its years reach from 1900 to 2155; others take the nearest.</summary>
    public static void ShortTime(Span<byte> target, DateTimeOffset time)
    {
        DateTime utc = time.UtcDateTime;
        target[0] = (byte)(Math.Clamp(utc.Year, 1900, 2155) - 1900);
        target[1] = (byte)utc.Month;
        target[2] = (byte)utc.Day;
        target[3] = (byte)utc.Hour;
        target[4] = (byte)utc.Minute;
        target[5] = (byte)utc.Second;
        target[6] = 0;
    }

    /// <summary>8.4.26.1: seventeen bytes, in UTC; null is "not specified".</summary>
    public static void LongTime(Span<byte> target, DateTimeOffset? time)
    {
        string text = time?.UtcDateTime.ToString("yyyyMMddHHmmssff", CultureInfo.InvariantCulture)
            ?? "0000000000000000";
        Encoding.ASCII.GetBytes(text, target);
        target[16] = 0;
    }

    /// <summary>A string field padded with spaces; too long a value is cut.</summary>
    public static void Padded(Span<byte> target, string value, bool wide)
    {
        string padded = value.PadRight(target.Length);
        if (wide) Encoding.BigEndianUnicode.GetBytes(padded.AsSpan(0, target.Length / 2), target);
        else Encoding.ASCII.GetBytes(padded.AsSpan(0, target.Length), target);
    }
}
