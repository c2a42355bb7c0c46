namespace Gantry.Hcl.Syntax;

/// <summary>A place in a source text.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in characters as a reader counts them (grapheme clusters); a tab is one.</param>
/// <param name="ByteOffset">From 0, in bytes of UTF-8.</param>
public readonly record struct SourcePosition(int Line, int Column, int ByteOffset);

/// <summary>A stretch of a source text. Cheap to copy; lines and columns are worked out when asked for.</summary>
/// <param name="File">The text.</param>
/// <param name="StartIndex">First UTF-16 code unit.</param>
/// <param name="EndIndex">The UTF-16 code unit after the last one.</param>
public readonly record struct SourceSpan(SourceFile File, int StartIndex, int EndIndex)
{
    /// <summary>Where it starts.</summary>
    public SourcePosition Start => File.PositionOf(StartIndex);

    /// <summary>The place after its last character.</summary>
    public SourcePosition End => File.PositionOf(EndIndex);

    /// <summary>Its text.</summary>
    public string Text => File.Text[StartIndex..EndIndex];

    /// <summary>The smallest span that holds this one and another of the same file.</summary>
    public SourceSpan Through(SourceSpan other) =>
        new(File, Math.Min(StartIndex, other.StartIndex), Math.Max(EndIndex, other.EndIndex));

    /// <summary><c>file:line:column</c> of its start.</summary>
    public override string ToString()
    {
        var start = Start;
        return $"{File.Name}:{start.Line}:{start.Column}";
    }
}
