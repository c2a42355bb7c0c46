namespace Gantry.Engines.Screen;

/// <summary>Where a line of text stands in a picture.</summary>
internal sealed record TextLine
{
    /// <summary>Number in <see cref="GlyphFonts.All"/>.</summary>
    public required int Font { get; init; }

    public required int Height { get; init; }

    /// <summary>The cells' width.</summary>
    public required int Advance { get; init; }

    /// <summary>The left edge of the first cell in the picture: 0 or more, less than <see cref="Advance"/>.</summary>
    public required int Phase { get; init; }

    public required int Y { get; init; }

    /// <summary>The left edge of the first letter found.</summary>
    public required int Left { get; init; }

    /// <summary>Behind the last letter found.</summary>
    public required int Right { get; init; }

    /// <summary>How many letters were found.</summary>
    public required int Count { get; init; }

    /// <summary>The masks that letters were found in, the most frequent first.</summary>
    public required int[] Masks { get; init; }

    /// <summary>Whether both claim the same pixels. A pixel of overlap between rows is no matter.</summary>
    public bool Overlaps(TextLine other) =>
        Y < other.Y + other.Height - 1 && other.Y < Y + Height - 1 && Left < other.Right && other.Left < Right;

    /// <summary>Whether both are lines of one console.</summary>
    public bool SameGrid(TextLine other) =>
        Font == other.Font && Advance == other.Advance && Phase == other.Phase && (Y - other.Y) % Height == 0;
}
