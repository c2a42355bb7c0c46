using System.Globalization;
using System.Text;
using Gantry.Hcl.Diagnostics;

namespace Gantry.Hcl.Syntax;

/// <summary>A named source text, and the map from its indices to lines, columns and byte offsets.</summary>
public sealed class SourceFile
{
    private readonly Lazy<(int[] Starts, int[] Bytes)> _lines;

    /// <summary>Wraps a text.</summary>
    /// <param name="name">How diagnostics call it: usually a path as the user gave it.</param>
    /// <param name="text">The text; line ends are LF or CR LF.</param>
    public SourceFile(string name, string text)
    {
        Name = name;
        Text = text;
        _lines = new(() => FindLines(text));
    }

    /// <summary>How diagnostics call this text.</summary>
    public string Name { get; }

    /// <summary>The whole text.</summary>
    public string Text { get; }

    /// <summary>Number of lines; a final line end opens one more, empty line.</summary>
    public int LineCount => _lines.Value.Starts.Length;

    /// <summary>
    /// Decodes UTF-8. Bytes that are not UTF-8 are an error diagnostic at the first of them, and read as U+FFFD.
    /// </summary>
    public static SourceFile FromBytes(string name, ReadOnlySpan<byte> utf8, DiagnosticBag diagnostics)
    {
        var file = new SourceFile(name, Encoding.UTF8.GetString(utf8));
        if (!System.Text.Unicode.Utf8.IsValid(utf8))
        {
            var index = 0;
            for (var rest = utf8; rest.Length > 0;)
            {
                if (Rune.DecodeFromUtf8(rest, out var rune, out var read) != System.Buffers.OperationStatus.Done)
                    break;
                index += rune.Utf16SequenceLength;
                rest = rest[read..];
            }
            diagnostics.Error(
                file.Span(index, Math.Min(index + 1, file.Text.Length)),
                "Invalid character encoding",
                "All input files must be UTF-8 encoded. Ensure that UTF-8 encoding is selected in your editor.");
        }
        return file;
    }

    /// <summary>A span of this file, by indices of UTF-16 code units; the end is exclusive.</summary>
    public SourceSpan Span(int start, int end) => new(this, start, end);

    /// <summary>The text of a line without its line end.</summary>
    /// <param name="line">From 1 to <see cref="LineCount"/>.</param>
    public string LineText(int line)
    {
        var starts = _lines.Value.Starts;
        var start = starts[line - 1];
        var end = line < starts.Length ? starts[line] - 1 : Text.Length;
        if (end > start && Text[end - 1] == '\r')
            end--;
        return Text[start..end];
    }

    /// <summary>Where an index lies.</summary>
    /// <param name="index">From 0 to the length of the text.</param>
    public SourcePosition PositionOf(int index)
    {
        var (starts, bytes) = _lines.Value;
        var line = Array.BinarySearch(starts, index);
        line = line < 0 ? ~line - 1 : line;
        var head = Text.AsSpan(starts[line], index - starts[line]);
        var column = 1;
        for (var rest = head; rest.Length > 0; column++)
            rest = rest[StringInfo.GetNextTextElementLength(rest)..];
        return new SourcePosition(line + 1, column, bytes[line] + Encoding.UTF8.GetByteCount(head));
    }

    /// <summary>Index of the first character of a line.</summary>
    internal int LineStart(int line) => _lines.Value.Starts[line - 1];

    private static (int[] Starts, int[] Bytes) FindLines(string text)
    {
        List<int> starts = [0];
        List<int> bytes = [0];
        var from = 0;
        for (var at = text.IndexOf('\n'); at >= 0; at = text.IndexOf('\n', from))
        {
            bytes.Add(bytes[^1] + Encoding.UTF8.GetByteCount(text.AsSpan(from, at + 1 - from)));
            from = at + 1;
            starts.Add(from);
        }
        return ([.. starts], [.. bytes]);
    }
}
