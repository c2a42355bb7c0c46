namespace Gantry.Engines.Screen;

/// <summary>A text mode that a picture of this size may show.</summary>
/// <param name="CellWidth">8, or 9 where the hardware repeats or blanks a ninth column.</param>
internal readonly record struct TextMode(int Columns, int Rows, int CellWidth, int CellHeight)
{
    /// <summary>Characters and attributes, in bytes.</summary>
    public int Bytes => Columns * Rows * 2;

    /// <summary>The text modes that give a picture of this size; none for a size of graphics only.</summary>
    public static IEnumerable<TextMode> For(int width, int height)
    {
        foreach (var cellWidth in (int[])[9, 8])
        {
            foreach (var cellHeight in (int[])[16, 8, 14])
            {
                var columns = width / cellWidth;
                var rows = height / cellHeight;
                if (columns is 40 or 80 or 100 or 132 && rows is >= 25 and <= 60
                    && columns * cellWidth == width && rows * cellHeight == height)
                {
                    yield return new TextMode(columns, rows, cellWidth, cellHeight);
                }
            }
        }
    }
}
