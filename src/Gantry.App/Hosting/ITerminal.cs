namespace Gantry.App.Hosting;

/// <summary>The program's three streams and what is known about where they lead.</summary>
internal interface ITerminal
{
    TextReader In { get; }

    /// <summary>Results, and nothing else: what a pipe wants.</summary>
    TextWriter Out { get; }

    /// <summary>Why what was written to <see cref="Out"/> did not all arrive; null when it did, as far as it was
    /// flushed. Writing itself does not fail.</summary>
    IOException? OutFailure { get; }

    /// <summary>Progress, questions and errors.</summary>
    TextWriter Error { get; }

    bool InIsTerminal { get; }

    bool OutIsTerminal { get; }

    bool ErrorIsTerminal { get; }

    /// <summary>Columns now; it changes when a window is resized. Null when no stream is a terminal.</summary>
    int? Width { get; }
}

/// <summary>How text for a person may look, from the environment (no-color.org, the locale's variables).</summary>
internal sealed record TextStyle
{
    public required bool Color { get; init; }

    /// <summary>Characters beyond ASCII may be used for bars and marks.</summary>
    public required bool Unicode { get; init; }

    /// <summary>The terminal can move its cursor, so that lines may be drawn again.</summary>
    public required bool Redraw { get; init; }

    public static TextStyle Plain { get; } = new() { Color = false, Unicode = false, Redraw = false };

    public static TextStyle For(bool isTerminal, Func<string, string?> environment)
    {
        var capable = isTerminal && environment("TERM") is { Length: > 0 } and not "dumb";
        return new TextStyle
        {
            Color = capable && string.IsNullOrEmpty(environment("NO_COLOR")),
            Unicode = capable && IsUtf8(environment),
            Redraw = capable,
        };
    }

    public string Paint(string text, string code) => Color ? $"\e[{code}m{text}\e[0m" : text;

    public string Dim(string text) => Paint(text, "2");

    public string Bold(string text) => Paint(text, "1");

    public string Red(string text) => Paint(text, "1;31");

    public string Green(string text) => Paint(text, "32");

    private static bool IsUtf8(Func<string, string?> environment)
    {
        // The first of them that is set decides, as in locale(7).
        foreach (var name in (ReadOnlySpan<string>)["LC_ALL", "LC_CTYPE", "LANG"])
        {
            if (environment(name) is { Length: > 0 } value)
                return value.Contains("UTF-8", StringComparison.OrdinalIgnoreCase)
                    || value.Contains("utf8", StringComparison.OrdinalIgnoreCase);
        }

        return false;
    }
}
