using System.Collections.Immutable;

namespace Gantry.Imaging.BootCommand;

/// <summary>A rendered template that knows where each of its characters came from.</summary>
public sealed class RenderedTemplate
{
    private readonly ImmutableArray<Piece> _pieces;

    internal RenderedTemplate(string text, ImmutableArray<Piece> pieces)
    {
        Text = text;
        _pieces = pieces;
    }

    /// <param name="Start">Where the piece begins in the rendered text.</param>
    /// <param name="Source">Where it came from; for a computed piece the place of its <c>{{</c>.</param>
    internal readonly record struct Piece(int Start, int Source, bool Verbatim);

    public string Text { get; }

    /// <summary>The offset in the template that a character of <see cref="Text"/> came from.</summary>
    public int SourceOffset(int offset)
    {
        var low = 0;
        var high = _pieces.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_pieces[middle].Start <= offset)
                low = middle;
            else
                high = middle - 1;
        }
        if (_pieces.IsEmpty)
            return 0;
        var piece = _pieces[low];
        return piece.Verbatim ? piece.Source + (offset - piece.Start) : piece.Source;
    }
}
