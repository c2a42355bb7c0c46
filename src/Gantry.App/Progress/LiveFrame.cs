using Gantry.App.Hosting;
using Gantry.App.Output;

namespace Gantry.App.Progress;

/// <summary>One drawn line and the columns it takes.</summary>
internal readonly record struct FrameLine(string Text, int Width);

/// <summary>How the current activity looks on a terminal: a pure function of state, width and style.</summary>
internal static class LiveFrame
{
    private const int WidestBar = 30;
    private const int NarrowestBar = 8;
    private const int Narrow = 24;
    private static readonly string[] Spinner = ["|", "/", "-", "\\"];
    private static readonly string[] UnicodeSpinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

    /// <param name="width">The terminal's columns; the last one stays free, because writing there makes some
    /// terminals go to the next line.</param>
    /// <param name="tick">Which picture of the spinner to show.</param>
    public static IReadOnlyList<FrameLine> Render(ProgressState state, int width, int tick, TextStyle style)
    {
        var columns = Math.Max(1, width - 1);
        List<FrameLine> lines = [Headline(state, columns, tick, style)];
        if (state.Done is not null)
            lines.Add(AmountLine(state, columns, style));
        if (state.GuestLine.Length > 0)
        {
            var text = DisplayText.Cut((style.Unicode ? "  │ " : "  | ") + state.GuestLine, columns);
            lines.Add(new FrameLine(style.Dim(text), DisplayText.Width(text)));
        }

        return lines;
    }

    /// <summary>The line that stays when an activity is over.</summary>
    public static string Finished(string what, TimeSpan took, bool succeeded, int width, TextStyle style)
    {
        var mark = (succeeded, style.Unicode) switch
        {
            (true, true) => "✓",
            (true, false) => "+",
            (false, true) => "✗",
            (false, false) => "!",
        };
        var columns = Math.Max(1, width - 1);
        var time = columns < Narrow ? "" : "  " + Quantities.Duration(took);
        var text = DisplayText.Cut(" " + what, columns - 1 - time.Length);
        return (succeeded ? style.Green(mark) : style.Red(mark)) + text + style.Dim(time);
    }

    private static FrameLine Headline(ProgressState state, int columns, int tick, TextStyle style)
    {
        var pictures = style.Unicode ? UnicodeSpinner : Spinner;
        var spinner = pictures[tick % pictures.Length];
        var time = "  " + Quantities.Duration(TimeSpan.FromSeconds(Math.Floor(state.Elapsed.TotalSeconds)));
        // A narrow terminal loses the time before it loses the activity.
        if (columns < Narrow)
            time = "";
        var what = DisplayText.Cut(state.Activity, columns - 2 - time.Length);
        var plain = DisplayText.Cut(spinner + " " + what + time, columns);
        return plain.Length < spinner.Length + 1 + what.Length + time.Length
            ? new FrameLine(plain, DisplayText.Width(plain))
            : new FrameLine(spinner + " " + style.Bold(what) + style.Dim(time), DisplayText.Width(plain));
    }

    private static FrameLine AmountLine(ProgressState state, int columns, TextStyle style)
    {
        var amount = state.AmountText();
        if (state.Fraction is { } fraction)
        {
            var percent = $"{(int)(fraction * 100),3}%";
            // Indent, brackets and blanks around the bar.
            var room = columns - amount.Length - percent.Length - 7;
            if (room >= NarrowestBar)
                amount = Bar(fraction, Math.Min(room, WidestBar), style) + " " + percent + "  " + amount;
            else
                amount = percent.TrimStart() + "  " + amount;
        }

        var text = DisplayText.Cut("  " + amount.TrimEnd(), columns);
        return new FrameLine(text, DisplayText.Width(text));
    }

    private static string Bar(double fraction, int cells, TextStyle style)
    {
        var full = (int)Math.Round(fraction * cells);
        return style.Unicode
            ? " " + new string('━', full) + new string('─', cells - full) + " "
            : "[" + new string('#', full) + new string('-', cells - full) + "]";
    }
}
