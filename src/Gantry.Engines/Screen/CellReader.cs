namespace Gantry.Engines.Screen;

/// <summary>Reads single cells once it is known where they are and in which font.</summary>
internal sealed class CellReader(Picture picture, IReadOnlyList<BitMask> masks)
{
    /// <summary>What stands for a cell with ink that no glyph of the font matches.</summary>
    private const char Unknown = '\ufffd';

    /// <summary>The characters of a line's cells between two places.</summary>
    public string Text(TextLine line, int left, int right)
    {
        var font = GlyphFonts.All[line.Font];
        var count = Math.Max(0, (right - left) / line.Advance);
        // The last cell of a 9 pixel grid may lack its ninth column.
        if (left + (count * line.Advance) + 8 <= Math.Min(right, picture.Width))
            count++;
        return string.Create(count, (this, font, line, left), static (text, state) =>
        {
            var (reader, font, line, left) = state;
            for (var i = 0; i < text.Length; i++)
                text[i] = reader.Cell(font, line, left + (i * line.Advance));
        });
    }

    private char Cell(GlyphFont font, TextLine line, int x)
    {
        if (!TwoColours(font, x, line.Y, out var first, out var second))
            return AmongMany(font, line, x);
        if (first == second)
            return ' ';
        // Either colour may be the ink. A letter is likelier than a block or a frame that its inverse may be.
        var found = TryShape(font, Shape(x, line.Y, font.Height, second), out var a);
        if (found && a is not ' ' and < '\u2500')
            return a;
        if (TryShape(font, Shape(x, line.Y, font.Height, first), out var b) && (!found || b is not ' ' and < '\u2500'))
            return b;
        return found ? a : Unknown;
    }

    private char AmongMany(GlyphFont font, TextLine line, int x)
    {
        foreach (var number in line.Masks)
        {
            var shape = masks[number].Shape(x, line.Y, font.Height);
            if (!shape.IsBlank && TryShape(font, shape, out var character) && character != ' ')
                return character;
        }
        return ' '; // a picture, or nothing
    }

    /// <summary>Looks a shape up, also without the full rows that a text cursor adds.</summary>
    private static bool TryShape(GlyphFont font, GlyphShape shape, out char character)
    {
        if (font.TryFind(shape, out character))
            return true;
        Span<byte> rows = stackalloc byte[24];
        System.Runtime.InteropServices.MemoryMarshal.Write(rows, shape.Top);
        System.Runtime.InteropServices.MemoryMarshal.Write(rows[8..], shape.Middle);
        System.Runtime.InteropServices.MemoryMarshal.Write(rows[16..], shape.Bottom);
        var cleared = false;
        for (var row = font.Height * 3 / 4; row < font.Height; row++)
        {
            cleared |= rows[row] == 0xff;
            rows[row] = rows[row] == 0xff ? (byte)0 : rows[row];
        }
        return cleared && font.TryFind(GlyphShape.Of(rows), out character);
    }

    /// <summary>Whether a cell has at most two colours; the first is that of its upper left pixel.</summary>
    private bool TwoColours(GlyphFont font, int x, int y, out uint first, out uint second)
    {
        first = picture.Pixels[(y * picture.Width) + x];
        second = first;
        for (var row = y; row < y + font.Height; row++)
        {
            foreach (var pixel in picture.Row(row).Slice(x, 8))
            {
                if (pixel == first || pixel == second)
                    continue;
                if (second != first)
                    return false;
                second = pixel;
            }
        }
        return true;
    }

    private GlyphShape Shape(int x, int y, int height, uint ink)
    {
        Span<byte> rows = stackalloc byte[24];
        for (var row = 0; row < height; row++)
        {
            var bits = 0;
            foreach (var pixel in picture.Row(y + row).Slice(x, 8))
                bits = (bits << 1) | (pixel == ink ? 1 : 0);
            rows[row] = (byte)bits;
        }
        return GlyphShape.Of(rows[..height]);
    }
}
