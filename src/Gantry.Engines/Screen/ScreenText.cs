using System.Collections.Immutable;

namespace Gantry.Engines.Screen;

/// <summary>How the text of a screen was found.</summary>
public enum ScreenSource
{
    /// <summary>The machine has no screen, or it is off.</summary>
    None,

    /// <summary>From the text memory of a VGA adapter.</summary>
    TextMemory,

    /// <summary>From the shapes of the letters in the picture.</summary>
    Glyphs,
}

/// <summary>The text that a screen shows, row by row from the top.</summary>
public sealed class ScreenText
{
    public static readonly ScreenText Empty = new([], ScreenSource.None, 0, 0);

    public ScreenText(ImmutableArray<string> rows, ScreenSource source, int width, int height)
    {
        Rows = rows;
        Source = source;
        Width = width;
        Height = height;
    }

    /// <summary>
    /// The rows with blanks for alignment, ends trimmed. In a picture with several fonts a row is a line of text,
    /// and columns align only where the font is the same.
    /// </summary>
    public ImmutableArray<string> Rows { get; }

    public ScreenSource Source { get; }

    /// <summary>The picture's width in pixels; 0 where there is none.</summary>
    public int Width { get; }

    /// <summary>The picture's height in pixels; 0 where there is none.</summary>
    public int Height { get; }

    /// <summary>Whether nothing can be read on the screen.</summary>
    public bool IsBlank => Rows.All(string.IsNullOrWhiteSpace);

    /// <summary>
    /// Whether the screen shows a text. Letters must be the same, case included. A run of white space equals any
    /// other, the end of a row included; lines of boxes count as white space unless the text has them; a word may
    /// go on in the next row where the row is full.
    /// </summary>
    public bool Contains(string text) => LooseMatch.Contains(Rows, text);

    /// <summary>The rows without the blank ones at the top and the bottom.</summary>
    public override string ToString()
    {
        var first = 0;
        while (first < Rows.Length && string.IsNullOrWhiteSpace(Rows[first]))
            first++;
        var last = Rows.Length;
        while (last > first && string.IsNullOrWhiteSpace(Rows[last - 1]))
            last--;
        return string.Join('\n', Rows.AsSpan()[first..last]!);
    }
}
