namespace Gantry.Engines.Screen;

/// <summary>Turns single letters into lines, and decides between fonts that look alike.</summary>
internal static class TextLineFinder
{
    /// <summary>Lines that do not overlap, the best first.</summary>
    public static List<TextLine> Find(List<GlyphHit> hits, IReadOnlyList<GlyphFont> fonts)
    {
        var candidates = hits
            .GroupBy(h => (h.Font, h.Y))
            .SelectMany(g => fonts[g.Key.Font].Advances.SelectMany(advance => Lines(g, fonts[g.Key.Font], advance)))
            .ToList();
        // A line of a console is believed more than the same letters seen on a grid that nothing else is on.
        var support = candidates
            .GroupBy(Grid)
            .ToDictionary(g => g.Key, g => g.Sum(l => l.Count));
        candidates.Sort((a, b) =>
        {
            var better = support[Grid(b)].CompareTo(support[Grid(a)]);
            better = better != 0 ? better : b.Count.CompareTo(a.Count);
            return better != 0 ? better : (a.Font, a.Advance, a.Y, a.Left).CompareTo((b.Font, b.Advance, b.Y, b.Left));
        });
        var lines = new List<TextLine>();
        foreach (var line in candidates)
        {
            if (!lines.Any(line.Overlaps))
                lines.Add(line);
        }
        return lines;
    }

    private static (int Font, int Advance, int Phase, int Row) Grid(TextLine line) =>
        (line.Font, line.Advance, line.Phase, line.Y % line.Height);

    private static IEnumerable<TextLine> Lines(IEnumerable<GlyphHit> hits, GlyphFont font, int advance) =>
        hits.GroupBy(h => h.X % advance).Select(g => new TextLine
        {
            Font = g.First().Font,
            Height = font.Height,
            Advance = advance,
            Phase = g.Key,
            Y = g.First().Y,
            Left = g.Min(h => h.X),
            Right = g.Max(h => h.X) + advance,
            Count = g.Select(h => h.X).Distinct().Count(),
            Masks = [.. g.GroupBy(h => h.Mask).OrderByDescending(m => m.Count()).Select(m => m.Key)],
        });
}
