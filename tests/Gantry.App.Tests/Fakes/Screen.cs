using System.Globalization;
using Gantry.App.Hosting;

namespace Gantry.App.Tests.Fakes;

/// <summary>
/// A terminal's screen, as far as the live view uses one: line feeds, carriage returns, cursor up, erase below, hidden
/// cursor, colours ignored. It breaks lines that are too wide, as terminals do, and can be made narrower.
/// </summary>
internal sealed class Screen : StringWriter, ITerminal
{
    private readonly List<string> _rows = [""];
    private int _row;
    private int _column;

    public int Columns { get; private set; } = 80;

    public bool CursorHidden { get; private set; }

    /// <summary>What stands on the screen, without blanks at the ends of lines and without empty lines at the end.</summary>
    public string Text => string.Join('\n', _rows.Select(row => row.TrimEnd())).TrimEnd('\n');

    TextReader ITerminal.In => TextReader.Null;

    TextWriter ITerminal.Out => this;

    IOException? ITerminal.OutFailure => null;

    TextWriter ITerminal.Error => this;

    bool ITerminal.InIsTerminal => true;

    bool ITerminal.OutIsTerminal => true;

    bool ITerminal.ErrorIsTerminal => true;

    int? ITerminal.Width => Columns;

    /// <summary>Breaks rows that no longer fit, as terminals that reflow do; the cursor stays at its letter.</summary>
    public void Resize(int columns)
    {
        Columns = columns;
        List<string> rows = [];
        var cursor = 0;
        for (var i = 0; i < _rows.Count; i++)
        {
            var row = _rows[i].TrimEnd();
            do
            {
                rows.Add(row[..Math.Min(columns, row.Length)]);
                row = row[Math.Min(columns, row.Length)..];
            }
            while (row.Length > 0);
            if (i == _row)
                (cursor, _column) = (rows.Count - 1, rows[^1].Length);
        }

        _rows.Clear();
        _rows.AddRange(rows);
        _row = cursor;
    }

    public override void Write(string? value)
    {
        for (var i = 0; i < value!.Length; i++)
        {
            switch (value[i])
            {
                case '\n':
                    MoveTo(_row + 1);
                    _column = 0;
                    break;
                case '\r':
                    _column = 0;
                    break;
                case '\e':
                    var end = i + 2;
                    while (value[end] is < '@' or > '~')
                        end++;
                    Control(value[(i + 2)..end], value[end]);
                    i = end;
                    break;
                default:
                    Put(value[i]);
                    break;
            }
        }
    }

    private void Control(string parameters, char final)
    {
        switch (final)
        {
            case 'A':
                _row = Math.Max(0, _row - int.Parse(parameters, CultureInfo.InvariantCulture));
                break;
            case 'J':
                _rows[_row] = _rows[_row][..Math.Min(_column, _rows[_row].Length)];
                _rows.RemoveRange(_row + 1, _rows.Count - _row - 1);
                break;
            case 'h' or 'l' when parameters == "?25":
                CursorHidden = final == 'l';
                break;
            case 'm':
                break;
            default:
                throw new InvalidOperationException($"unknown control sequence {parameters}{final}");
        }
    }

    private void Put(char c)
    {
        if (_column == Columns)
        {
            MoveTo(_row + 1);
            _column = 0;
        }

        var row = _rows[_row].PadRight(_column);
        _rows[_row] = row[.._column] + c + (row.Length > _column + 1 ? row[(_column + 1)..] : "");
        _column++;
    }

    private void MoveTo(int row)
    {
        while (_rows.Count <= row)
            _rows.Add("");
        _row = row;
    }
}
