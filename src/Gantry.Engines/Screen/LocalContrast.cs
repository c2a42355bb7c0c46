using System.Numerics;
using System.Runtime.InteropServices;

namespace Gantry.Engines.Screen;

/// <summary>
/// Masks for text over pictures, where the ink has no colour of its own because it is blended with what is behind:
/// a pixel is ink where it is nearer to the brightest (or darkest) value around it than to the average around it.
/// </summary>
internal static class LocalContrast
{
    /// <summary>How far around a pixel is looked, in pixels: less than a cell, more than a stroke.</summary>
    private const int Radius = 6;

    /// <summary>The least difference to the average, of 255, that counts as ink.</summary>
    private const int LeastContrast = 20;

    /// <summary>Bright and dark ink in the red, green and blue channel.</summary>
    public static IEnumerable<BitMask> Masks(Picture picture)
    {
        foreach (var shift in (int[])[8, 0, 16])
        {
            var values = new byte[picture.Pixels.Length];
            for (var i = 0; i < values.Length; i++)
                values[i] = (byte)(picture.Pixels[i] >> shift);
            var mean = Mean(values, picture.Width, picture.Height);
            yield return Ink(values, mean, picture.Width, picture.Height);
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (byte)~values[i];
                mean[i] = (byte)~mean[i];
            }
            yield return Ink(values, mean, picture.Width, picture.Height);
        }
    }

    private static BitMask Ink(byte[] values, byte[] mean, int width, int height)
    {
        var brightest = Brightest(values, width, height);
        var mask = new BitMask(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var i = (y * width) + x;
                var contrast = brightest[i] - mean[i];
                if (contrast >= LeastContrast && (values[i] - mean[i]) * 2 > contrast)
                    mask.Bits[(y * mask.Stride) + (x >> 3)] |= (byte)(0x80 >> (x & 7));
            }
        }
        return mask;
    }

    /// <summary>The average in a square around each pixel, by running sums.</summary>
    private static byte[] Mean(byte[] values, int width, int height)
    {
        var sums = new int[values.Length];
        for (var y = 0; y < height; y++)
        {
            var row = y * width;
            var sum = 0;
            for (var x = -Radius; x < width; x++)
            {
                if (x + Radius < width)
                    sum += values[row + x + Radius];
                if (x - Radius - 1 >= 0)
                    sum -= values[row + x - Radius - 1];
                if (x >= 0)
                    sums[row + x] = sum;
            }
        }
        var mean = new byte[values.Length];
        var column = new int[width];
        for (var y = -Radius; y < height; y++)
        {
            var enter = y + Radius;
            var leave = y - Radius - 1;
            var rows = Math.Min(enter, height - 1) - Math.Max(leave + 1, 0) + 1;
            for (var x = 0; x < width; x++)
            {
                if (enter < height)
                    column[x] += sums[(enter * width) + x];
                if (leave >= 0)
                    column[x] -= sums[(leave * width) + x];
                var columns = Math.Min(x + Radius, width - 1) - Math.Max(x - Radius, 0) + 1;
                if (y >= 0)
                    mean[(y * width) + x] = (byte)(column[x] / (rows * columns));
            }
        }
        return mean;
    }

    /// <summary>The greatest value in a square around each pixel: first along rows, then along columns.</summary>
    private static byte[] Brightest(byte[] values, int width, int height)
    {
        var across = (byte[])values.Clone();
        for (var y = 0; y < height; y++)
        {
            var row = values.AsSpan(y * width, width);
            var best = across.AsSpan(y * width, width);
            for (var d = 1; d <= Math.Min(Radius, width - 1); d++)
            {
                Raise(best[d..], row[..^d]);
                Raise(best[..^d], row[d..]);
            }
        }
        var around = (byte[])across.Clone();
        for (var y = 0; y < height; y++)
        {
            for (var other = Math.Max(0, y - Radius); other <= Math.Min(height - 1, y + Radius); other++)
                Raise(around.AsSpan(y * width, width), across.AsSpan(other * width, width));
        }
        return around;
    }

    private static void Raise(Span<byte> target, ReadOnlySpan<byte> source)
    {
        var targets = MemoryMarshal.Cast<byte, Vector<byte>>(target);
        var sources = MemoryMarshal.Cast<byte, Vector<byte>>(source);
        for (var i = 0; i < targets.Length; i++)
            targets[i] = Vector.Max(targets[i], sources[i]);
        for (var i = targets.Length * Vector<byte>.Count; i < target.Length; i++)
            target[i] = Math.Max(target[i], source[i]);
    }
}
