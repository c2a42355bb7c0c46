using System.Globalization;

namespace Gantry.Engines.Screen;

/// <summary>A picture in memory: rows from the top, pixels from the left, each 0x00RRGGBB.</summary>
public sealed class Picture
{
    /// <summary>The biggest side taken; QEMU's adapters give at most this.</summary>
    public const int MaxSide = 16384;

    private const int MaxPixels = 64 * 1024 * 1024;

    public Picture(int width, int height, uint[] pixels)
    {
        if (width < 0 || height < 0 || (long)width * height != pixels.Length)
            throw new ArgumentException($"{pixels.Length} pixels are not {width}x{height}", nameof(pixels));
        Width = width;
        Height = height;
        Pixels = pixels;
    }

    public int Width { get; }

    public int Height { get; }

    public uint[] Pixels { get; }

    public ReadOnlySpan<uint> Row(int y) => Pixels.AsSpan(y * Width, Width);

    /// <summary>Whether both show the same.</summary>
    public bool SameAs(Picture other) =>
        Width == other.Width && Height == other.Height && Pixels.AsSpan().SequenceEqual(other.Pixels);

    /// <summary>Reads a binary PPM with 8 bits a channel, as QEMU's <c>screendump</c> writes it.</summary>
    /// <exception cref="InvalidDataException">It is none, is cut off, or is too big.</exception>
    public static Picture FromPpm(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith("P6"u8))
            throw new InvalidDataException("expected a binary PPM picture (P6)");
        var rest = file[2..];
        var width = Number(ref rest);
        var height = Number(ref rest);
        var most = Number(ref rest);
        if (most != 255)
            throw new InvalidDataException($"expected 255 shades in the PPM picture, found {most}");
        if (width is < 1 or > MaxSide || height is < 1 or > MaxSide || (long)width * height > MaxPixels)
            throw new InvalidDataException($"a screen of {width}x{height} pixels is not possible");
        rest = rest[1..];
        if (rest.Length < width * height * 3)
            throw new InvalidDataException($"the PPM picture of {width}x{height} pixels is cut off");
        var pixels = new uint[width * height];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = ((uint)rest[i * 3] << 16) | ((uint)rest[(i * 3) + 1] << 8) | rest[(i * 3) + 2];
        }
        return new Picture(width, height, pixels);
    }

    private static int Number(ref ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty && (rest[0] is (byte)' ' or (byte)'\n' or (byte)'\t' or (byte)'\r' or (byte)'#'))
        {
            if (rest[0] != '#')
                rest = rest[1..];
            else
                rest = rest.IndexOf((byte)'\n') is >= 0 and var end ? rest[end..] : [];
        }
        var digits = 0;
        while (digits < rest.Length && rest[digits] is >= (byte)'0' and <= (byte)'9')
            digits++;
        if (digits is 0 or > 5 || digits == rest.Length)
            throw new InvalidDataException("expected a number in the PPM picture's head");
        var number = int.Parse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
        rest = rest[digits..];
        return number;
    }
}
