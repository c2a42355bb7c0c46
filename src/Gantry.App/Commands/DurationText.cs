using Gantry.Hcl.Functions;
using Gantry.Model;

namespace Gantry.App.Commands;

/// <summary>Times as people give them on the command line.</summary>
internal static class DurationText
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    /// <summary>As in templates: <c>500ms</c>, <c>90s</c>, <c>1h30m</c>; a bare number counts seconds.</summary>
    /// <exception cref="ProblemException">It is no time, or an impossible one.</exception>
    public static TimeSpan Parse(string text)
    {
        if (text.Length > 0 && text.All(char.IsAsciiDigit))
            text += "s";
        return GoDuration.TryParse(text, out var time) && time > TimeSpan.Zero && time <= Longest
            ? time
            : throw new ProblemException(
                ProblemKind.InvalidInput, $"'{text}' is no time to wait", "give it as 500ms, 90s, 5m or 1h30m; 7 days at most");
    }
}
