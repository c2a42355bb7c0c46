using System.Text;

namespace Gantry.App.Output;

/// <summary>A table's column: its heading, and which side its cells stand on.</summary>
internal sealed record Column(string Heading, bool Right = false);

/// <summary>Rows under upper-case headings, aligned by blanks only, so that <c>awk</c> can read them.</summary>
internal sealed class TextTable(params IReadOnlyList<Column> columns) : ITextBlock
{
    private const int Gap = 2;

    /// <summary>A column is not cut to fewer columns than this while another is wider.</summary>
    private const int Narrowest = 6;

    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row with a cell for each column; an empty one shows as a hyphen.</summary>
    public void Add(params ReadOnlySpan<string> cells)
    {
        if (cells.Length != columns.Count)
            throw new ArgumentException($"{cells.Length} cells for {columns.Count} columns", nameof(cells));
        var row = new string[cells.Length];
        for (var i = 0; i < cells.Length; i++)
            row[i] = DisplayText.Clean(cells[i]) is { Length: > 0 } cell ? cell : "-";
        _rows.Add(row);
    }

    public void WriteTo(TextWriter writer, int? width)
    {
        var headings = columns.Select(column => column.Heading.ToUpperInvariant()).ToArray();
        var widths = Fit(headings, width);
        WriteRow(writer, headings, widths);
        foreach (var row in _rows)
            WriteRow(writer, row, widths);
    }

    private int[] Fit(string[] headings, int? width)
    {
        var widths = new int[columns.Count];
        for (var i = 0; i < widths.Length; i++)
        {
            widths[i] = DisplayText.Width(headings[i]);
            foreach (var row in _rows)
                widths[i] = Math.Max(widths[i], DisplayText.Width(row[i]));
        }

        // The widest column gives way first: it is the one with room to lose.
        var excess = widths.Sum() + Gap * (widths.Length - 1) - (width ?? int.MaxValue);
        for (; excess > 0; excess--)
        {
            var widest = Array.IndexOf(widths, widths.Max());
            if (widths[widest] <= Narrowest)
                break;
            widths[widest]--;
        }

        return widths;
    }

    private void WriteRow(TextWriter writer, string[] cells, int[] widths)
    {
        var line = new StringBuilder();
        for (var i = 0; i < cells.Length; i++)
        {
            line.Append(' ', i == 0 ? 0 : Gap)
                .Append(DisplayText.Pad(DisplayText.Cut(cells[i], widths[i]), widths[i], columns[i].Right));
        }

        writer.Write(line.ToString().TrimEnd() + "\n");
    }
}

/// <summary>Named values of one thing, one a line.</summary>
internal sealed class FieldList : ITextBlock, System.Collections.IEnumerable
{
    private readonly List<(string Name, string Value)> _fields = [];

    /// <summary>Adds a field; a value of several lines keeps them, aligned under the first.</summary>
    public void Add(string name, string value) => _fields.Add((name, value));

    public void WriteTo(TextWriter writer, int? width)
    {
        var names = _fields.Count == 0 ? 0 : _fields.Max(field => DisplayText.Width(field.Name)) + 1;
        foreach (var (name, value) in _fields)
        {
            var label = name + ":";
            foreach (var line in value.Split('\n'))
            {
                // Never cut: what is shown of one thing is what a person came for.
                writer.Write((DisplayText.Pad(label, names) + "  " + DisplayText.Clean(line)).TrimEnd() + "\n");
                label = "";
            }
        }
    }

    public System.Collections.IEnumerator GetEnumerator() => _fields.GetEnumerator();
}
