using System.Text;

namespace Gantry.Engines.Screen;

/// <summary>
/// Reads text from a picture by comparing shapes exactly: first letters are looked for everywhere, in each likely
/// ink colour; they give the lines and their grids; then each cell of these is read, with all its punctuation.
/// Not safe for several threads at once.
/// </summary>
internal sealed class GlyphReader
{
    private static readonly Lazy<GlyphScanner> Scanner = new(() => new GlyphScanner(GlyphFonts.All));

    private Picture? _picture;
    private ScreenText? _text;

    /// <summary>The text in a picture. The same picture as last time costs only the comparison.</summary>
    public ScreenText Read(Picture picture)
    {
        if (_text is not null && _picture!.SameAs(picture))
            return _text;
        var masks = new List<BitMask>();
        var hits = new List<GlyphHit>();
        var colours = InkColours.Find(picture, out var isPicture);
        foreach (var colour in colours)
            Scan(BitMask.OfColour(picture, colour), masks, hits);
        if (isPicture)
        {
            foreach (var mask in LocalContrast.Masks(picture))
                Scan(mask, masks, hits);
        }
        var lines = TextLineFinder.Find(hits, GlyphFonts.All);
        var cells = new CellReader(picture, masks);
        AddRowsBetween(picture, lines, cells);
        _text = new ScreenText([.. Layout(picture, lines, cells)], ScreenSource.Glyphs, picture.Width, picture.Height);
        _picture = picture;
        return _text;
    }

    private static void Scan(BitMask mask, List<BitMask> masks, List<GlyphHit> hits)
    {
        Scanner.Value.Scan(mask, masks.Count, hits);
        masks.Add(mask);
    }

    /// <summary>A console's rows without any letter, such as a frame or a row of dots, are on its grid too.</summary>
    private static void AddRowsBetween(Picture picture, List<TextLine> lines, CellReader cells)
    {
        foreach (var grid in lines.ToArray())
        {
            if (lines.Exists(l => l != grid && l.SameGrid(grid) && l.Count > grid.Count)
                || !lines.Exists(l => l != grid && l.SameGrid(grid)))
            {
                continue;
            }
            for (var y = grid.Y % grid.Height; y + grid.Height <= picture.Height; y += grid.Height)
            {
                var row = grid with { Y = y, Left = grid.Phase, Right = picture.Width, Count = 0 };
                if (lines.Exists(row.Overlaps))
                    continue;
                var text = cells.Text(row, row.Left, row.Right);
                var known = text.Count(c => c is not ('\ufffd' or ' '));
                if (known > 0 && known >= 4 * text.Count(c => c == '\ufffd'))
                    lines.Add(row);
            }
        }
    }

    /// <summary>Rows from top to bottom; lines side by side share one, placed by column.</summary>
    private static IEnumerable<string> Layout(Picture picture, List<TextLine> lines, CellReader cells)
    {
        var rows = new List<(int Y, int Height, StringBuilder Text)>();
        foreach (var line in lines.OrderBy(l => l.Y).ThenBy(l => l.Left))
        {
            var (left, right) = Extent(line, lines, picture.Width);
            var text = cells.Text(line, left, right).TrimEnd();
            if (text.Length == 0)
                continue;
            if (rows.Count == 0 || line.Y >= rows[^1].Y + (Math.Min(line.Height, rows[^1].Height) / 2))
                AddBlankRows(rows, line);
            var row = rows[^1].Text;
            var column = left / line.Advance;
            if (row.Length < column)
                row.Append(' ', column - row.Length);
            else if (row.Length > 0)
                row.Append(' ');
            row.Append(text);
        }
        return rows.Select(r => r.Text.ToString().TrimEnd());
    }

    /// <summary>Begins a row, after one blank row for each that a gap has room for.</summary>
    private static void AddBlankRows(List<(int Y, int Height, StringBuilder Text)> rows, TextLine line)
    {
        var top = rows.Count == 0 ? 0 : rows[^1].Y + rows[^1].Height;
        for (; top + line.Height <= line.Y; top += line.Height)
            rows.Add((top, line.Height, new StringBuilder()));
        rows.Add((line.Y, line.Height, new StringBuilder()));
    }

    /// <summary>From the letters found, as far to both sides as no other line begins.</summary>
    private static (int Left, int Right) Extent(TextLine line, List<TextLine> lines, int width)
    {
        var left = line.Phase;
        var right = width;
        foreach (var other in lines)
        {
            if (other == line || other.Y >= line.Y + line.Height - 1 || line.Y >= other.Y + other.Height - 1)
                continue;
            if (other.Right <= line.Left)
                left = Math.Max(left, other.Right);
            else if (other.Left >= line.Right)
                right = Math.Min(right, other.Left);
        }
        // Onto the line's own grid again.
        left += ((line.Left - left) % line.Advance + line.Advance) % line.Advance;
        return (left, right);
    }
}
