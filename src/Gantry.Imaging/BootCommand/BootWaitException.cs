using Gantry.Engines.Screen;

namespace Gantry.Imaging.BootCommand;

/// <summary>A boot command waited for something that did not come.</summary>
public sealed class BootWaitException : Exception
{
    public BootWaitException(BootAction action, TimeSpan timeout, ScreenText? screen, string? serial)
        : base(Compose(action, timeout, screen, serial))
    {
        Action = action;
        Screen = screen;
        Serial = serial;
    }

    /// <summary>The wait that failed.</summary>
    public BootAction Action { get; }

    /// <summary>What was on the screen at the end; null where it could not be read.</summary>
    public ScreenText? Screen { get; }

    /// <summary>The last lines of the serial line; null where it was not waited for.</summary>
    public string? Serial { get; }

    private static string Compose(BootAction action, TimeSpan timeout, ScreenText? screen, string? serial)
    {
        var what = $"boot_command, {action.At}: gave up {TypingProgress.Describe(action)} " +
            $"after {timeout.TotalSeconds:0.#} s.";
        var shown = screen is null ? "The screen could not be read."
            : screen.IsBlank ? "Nothing could be read on the screen."
            : $"The screen shows:\n{Indent(screen.ToString())}";
        return serial is null ? $"{what} {shown}"
            : $"{what} {(serial.Length == 0 ? "The serial line said nothing." : $"The serial line's end:\n{Indent(serial)}")}" +
              $"\n{shown}";
    }

    private static string Indent(string text) =>
        string.Join('\n', text.Split('\n').Select(line => ("  | " + line).TrimEnd()));
}
