namespace Gantry.Engines.Screen;

/// <summary>
/// A picture of one bit a pixel: 1 is ink. Rows are padded, so that reading 8 pixels near the right edge gives
/// zeros for what is outside.
/// </summary>
internal sealed class BitMask
{
    public BitMask(int width, int height)
    {
        Width = width;
        Height = height;
        Stride = ((width + 7) / 8) + 9;
        Bits = new byte[Stride * height];
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>Bytes a row.</summary>
    public int Stride { get; }

    public byte[] Bits { get; }

    /// <summary>The pixels that have exactly this colour.</summary>
    public static BitMask OfColour(Picture picture, uint colour)
    {
        var mask = new BitMask(picture.Width, picture.Height);
        for (var y = 0; y < picture.Height; y++)
        {
            var row = picture.Row(y);
            var bits = mask.Bits.AsSpan(y * mask.Stride, mask.Stride);
            var x = 0;
            for (; x + 8 <= row.Length; x += 8)
            {
                var v = 0;
                for (var i = 0; i < 8; i++)
                    v = (v << 1) | (row[x + i] == colour ? 1 : 0);
                bits[x >> 3] = (byte)v;
            }
            for (; x < row.Length; x++)
            {
                if (row[x] == colour)
                    bits[x >> 3] |= (byte)(0x80 >> (x & 7));
            }
        }
        return mask;
    }

    /// <summary>The 8 pixels from a place to the right, the leftmost in the highest bit.</summary>
    public byte Eight(int x, int y)
    {
        var at = (y * Stride) + (x >> 3);
        return (byte)(((Bits[at] << 8) | Bits[at + 1]) >> (8 - (x & 7)));
    }

    /// <summary>The shape in a cell.</summary>
    public GlyphShape Shape(int x, int y, int height)
    {
        Span<byte> rows = stackalloc byte[24];
        for (var i = 0; i < height; i++)
            rows[i] = Eight(x, y + i);
        return GlyphShape.Of(rows[..height]);
    }
}
