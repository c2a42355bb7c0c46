using System.Globalization;
using System.Text;
using Gantry.Hcl.Syntax;

namespace Gantry.Hcl.Diagnostics;

/// <summary>Writes diagnostics for people: the place, the line itself, and a mark under what is meant.</summary>
public sealed class DiagnosticRenderer
{
    // A line of a whole file in one line would flood a terminal: a window of it is shown.
    private const int MaxColumns = 160;
    private const int TabWidth = 4;
    private const int MaxMarked = 3;

    /// <summary>Whether to colour with ANSI escape sequences.</summary>
    public bool UsesColor { get; init; }

    /// <summary>One diagnostic; ends with a line end.</summary>
    public string Render(Diagnostic diagnostic)
    {
        var text = new StringBuilder();
        var isError = diagnostic.Severity == DiagnosticSeverity.Error;
        var color = isError ? "31" : "33";
        if (diagnostic.Span is { } place)
            text.Append(Paint(place.ToString(), "1")).Append(": ");
        text.Append(Paint(isError ? "error" : "warning", $"1;{color}")).Append(": ").Append(Paint(Clean(diagnostic.Summary), "1")).Append('\n');
        if (diagnostic.Span is { } span)
            AppendLine(text, span, color);
        if (diagnostic.Detail.Length > 0)
            text.Append("  ").Append(Clean(diagnostic.Detail)).Append('\n');
        foreach (var related in diagnostic.Related)
        {
            text.Append(Paint(related.Span.ToString(), "1")).Append(": ").Append(Paint("note", "1;36")).Append(": ").Append(Clean(related.Message)).Append('\n');
            AppendLine(text, related.Span, "36");
        }
        return text.ToString();
    }

    /// <summary>Diagnostics with an empty line between each two.</summary>
    public string Render(IEnumerable<Diagnostic> diagnostics) => string.Join('\n', diagnostics.Select(Render));

    private string Paint(string text, string code) => UsesColor ? $"\e[{code}m{text}\e[0m" : text;

    // What comes from a source text may hold escape sequences, which must not reach a terminal.
    private static string Clean(string text) => string.Concat(
        text.Select(c => c is '\n' ? " " : char.IsControl(c) ? "\uFFFD" : c.ToString()));

    private void AppendLine(StringBuilder text, SourceSpan span, string color)
    {
        var start = span.Start;
        var end = span.End;
        var number = start.Line.ToString(CultureInfo.InvariantCulture);
        var gutter = new string(' ', number.Length);
        var line = span.File.LineText(start.Line);
        var from = Math.Min(span.StartIndex - span.File.LineStart(start.Line), line.Length);
        var to = end.Line == start.Line ? Math.Min(span.EndIndex - span.File.LineStart(start.Line), line.Length) : line.Length;
        var (shown, before, marked) = Layout(line, from, to);
        text.Append($" {number} | ").Append(shown).Append('\n');
        text.Append($" {gutter} | ").Append(' ', before).Append(
            Paint(marked <= 1 ? "^" : "^" + new string('~', marked - 1), $"1;{color}"));
        if (end.Line > start.Line && end.Line - start.Line < MaxMarked)
            text.Append(' ').Append(Paint($"(to line {end.Line})", color));
        text.Append('\n');
    }

    // The line as it is shown, the columns before the mark, and the columns of the mark.
    private static (string Shown, int Before, int Marked) Layout(string line, int from, int to)
    {
        var shown = new StringBuilder();
        var (column, markStart, markEnd) = (0, -1, -1);
        var skipped = 0;
        // Far to the right the beginning of the line is left out.
        if (from > MaxColumns / 2)
        {
            skipped = from - (MaxColumns / 4);
            shown.Append("...");
            column = 3;
        }
        for (var at = 0; at < line.Length;)
        {
            var length = StringInfo.GetNextTextElementLength(line, at);
            if (at + length <= skipped)
            {
                at += length;
                continue;
            }
            if (column >= MaxColumns)
            {
                shown.Append("...");
                break;
            }
            if (at >= from && markStart < 0)
                markStart = column;
            var element = line.AsSpan(at, length);
            var width = TextWidth.Of(element, column, TabWidth);
            shown.Append(element[0] == '\t' ? new string(' ', width) : char.IsControl(element[0]) ? "\uFFFD" : element);
            column += width;
            at += length;
            if (at - length < to)
                markEnd = column;
        }
        if (markStart < 0)
            markStart = column;
        if (markEnd < 0)
            markEnd = column;
        return (shown.ToString(), markStart, Math.Max(1, from == to ? 1 : markEnd - markStart));
    }
}
