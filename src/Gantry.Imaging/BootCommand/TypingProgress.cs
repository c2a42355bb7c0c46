using Gantry.Engines.Screen;

namespace Gantry.Imaging.BootCommand;

/// <summary>What a <see cref="Typist"/> is doing.</summary>
public sealed record TypingProgress
{
    public required BootAction Action { get; init; }

    /// <summary>Which of the actions, from 1.</summary>
    public required int Number { get; init; }

    public required int Count { get; init; }

    /// <summary>How long this action has taken.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>The first report of the action: nothing was done yet.</summary>
    public required bool Begins { get; init; }

    public required bool Finished { get; init; }

    /// <summary>What was last seen on the screen; null before the first look.</summary>
    public ScreenText? Screen { get; init; }

    /// <summary>The action in words.</summary>
    public string Description => Describe(Action);

    internal static string Describe(BootAction action) => action switch
    {
        BootAction.Type type => $"typing '{Shorten(type.Text)}'",
        BootAction.Press press => $"pressing <{press.Name}>",
        BootAction.Hold hold => $"holding <{hold.Name}>",
        BootAction.Release release => $"releasing <{release.Name}>",
        BootAction.Wait wait => $"waiting {wait.Time.TotalSeconds:0.#} s",
        BootAction.WaitForScreen screen => $"waiting for '{Shorten(screen.Text)}' on the screen",
        BootAction.WaitForSerial serial => $"waiting for /{Shorten(serial.Pattern)}/ on the serial line",
        _ => throw new InvalidOperationException($"unknown action {action.GetType().Name}"),
    };

    private static string Shorten(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= 60 ? line : line[..59] + "…";
    }
}
