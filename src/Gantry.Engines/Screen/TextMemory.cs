using System.Collections.Immutable;

namespace Gantry.Engines.Screen;

/// <summary>
/// Reads text from VGA text memory, but only where the picture agrees: the adapter may be in a graphics mode of the
/// same size, and the memory may begin to be shown anywhere. The picture agrees where equal codes look equal, blank
/// codes look blank, and different codes look different. That needs no knowledge of the font, so it also holds
/// where a guest has loaded its own.
/// </summary>
internal static class TextMemory
{
    /// <summary>Where a PC's text memory is, in guest physical addresses.</summary>
    public const int Address = 0xb8000;

    public const int Size = 0x8000;

    private const int PageBytes = 0x1000;

    /// <summary>The text on the screen; null where memory and picture do not agree.</summary>
    /// <param name="memory">The whole text memory: code and attribute in turn.</param>
    public static ScreenText? Read(Picture picture, ReadOnlySpan<byte> memory)
    {
        foreach (var mode in TextMode.For(picture.Width, picture.Height))
        {
            var looks = Looks(picture, mode);
            foreach (var start in Starts(mode, memory.Length))
            {
                var shown = memory.Slice(start, mode.Bytes);
                if (Agrees(shown, looks))
                    return new ScreenText(Rows(shown, mode), ScreenSource.TextMemory, picture.Width, picture.Height);
            }
        }
        return null;
    }

    /// <summary>Whole rows (a console that scrolls by moving the start) and the BIOS' pages.</summary>
    private static IEnumerable<int> Starts(TextMode mode, int length)
    {
        var last = length - mode.Bytes;
        for (var start = 0; start <= last; start += mode.Columns * 2)
            yield return start;
        for (var start = PageBytes; start <= last; start += PageBytes)
            yield return start;
    }

    /// <summary>A number for each cell: 0 for one colour all over, else the same for the same shape.</summary>
    private static int[] Looks(Picture picture, TextMode mode)
    {
        var numbers = new Dictionary<GlyphShape, int>();
        var looks = new int[mode.Columns * mode.Rows];
        Span<byte> rows = stackalloc byte[24];
        for (var i = 0; i < looks.Length; i++)
        {
            var x = i % mode.Columns * mode.CellWidth;
            var y = i / mode.Columns * mode.CellHeight;
            var first = picture.Row(y)[x];
            var flat = true;
            for (var row = 0; row < mode.CellHeight; row++)
            {
                var bits = 0;
                foreach (var pixel in picture.Row(y + row).Slice(x, 8))
                    bits = (bits << 1) | (pixel == first ? 0 : 1);
                rows[row] = (byte)bits;
                flat &= bits == 0;
            }
            var shape = GlyphShape.Of(rows[..mode.CellHeight]);
            if (!flat && !numbers.TryGetValue(shape, out looks[i]))
                numbers[shape] = looks[i] = numbers.Count + 1;
        }
        return looks;
    }

    private static bool Agrees(ReadOnlySpan<byte> shown, int[] looks)
    {
        Span<int> lookOf = stackalloc int[256];
        lookOf.Fill(-1);
        // A text cursor, or text that blinks off, changes a few cells.
        var allowed = 2 + (looks.Length / 200);
        var written = 0;
        for (var i = 0; i < looks.Length; i++)
        {
            var code = shown[i * 2];
            var attribute = shown[(i * 2) + 1];
            var invisible = (attribute & 0xf) == (attribute >> 4);
            if (CodePage437.IsBlank(code))
                allowed -= looks[i] != 0 ? 1 : 0;
            else if (!invisible)
            {
                written++;
                if (lookOf[code] < 0)
                    lookOf[code] = looks[i];
                allowed -= lookOf[code] != looks[i] ? 1 : 0;
            }
            if (allowed < 0)
                return false;
        }
        return written == 0 || Differ(lookOf);
    }

    /// <summary>Whether the printable codes that occur look different from each other, most of them.</summary>
    private static bool Differ(ReadOnlySpan<int> lookOf)
    {
        var codes = 0;
        var looks = new HashSet<int>();
        for (var code = 33; code < 127; code++)
        {
            if (lookOf[code] < 0)
                continue;
            codes++;
            if (lookOf[code] != 0)
                looks.Add(lookOf[code]);
        }
        return looks.Count * 4 >= codes * 3;
    }

    private static ImmutableArray<string> Rows(ReadOnlySpan<byte> shown, TextMode mode)
    {
        var rows = ImmutableArray.CreateBuilder<string>(mode.Rows);
        Span<char> row = stackalloc char[mode.Columns];
        for (var y = 0; y < mode.Rows; y++)
        {
            for (var x = 0; x < mode.Columns; x++)
                row[x] = CodePage437.ToUnicode(shown[((y * mode.Columns) + x) * 2]);
            rows.Add(row.TrimEnd(' ').ToString());
        }
        return rows.MoveToImmutable();
    }
}
