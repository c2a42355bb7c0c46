namespace Gantry.Engines.Screen;

/// <summary>Guesses which colours text is written in: those that come in many short runs.</summary>
internal static class InkColours
{
    private const int MostColours = 24;
    private const int MostCounted = 8192;
    private const int LongestStroke = 8;
    private const int FewestStrokes = 8;

    /// <param name="isPicture">Whether there are so many colours that text may be blended with a picture.</param>
    public static List<uint> Find(Picture picture, out bool isPicture)
    {
        var strokes = new Dictionary<uint, int>();
        for (var y = 0; y < picture.Height; y++)
        {
            var row = picture.Row(y);
            var start = 0;
            for (var x = 1; x <= row.Length; x++)
            {
                if (x < row.Length && row[x] == row[start])
                    continue;
                if (x - start <= LongestStroke && (strokes.Count < MostCounted || strokes.ContainsKey(row[start])))
                    strokes[row[start]] = strokes.GetValueOrDefault(row[start]) + 1;
                start = x;
            }
        }
        isPicture = strokes.Count > 64;
        return [.. strokes
            .Where(s => s.Value >= FewestStrokes)
            .OrderByDescending(s => s.Value)
            .ThenBy(s => s.Key)
            .Take(MostColours)
            .Select(s => s.Key)];
    }
}
