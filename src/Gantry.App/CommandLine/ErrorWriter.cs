using Gantry.App.Hosting;
using Gantry.Model;

namespace Gantry.App.CommandLine;

/// <summary>How errors look: <c>gantry: what could not be done and why</c>, then detail, then what to do.</summary>
internal sealed class ErrorWriter(TextWriter writer, TextStyle style)
{
    public void Write(Problem problem)
    {
        writer.WriteLine(style.Red("gantry:") + " " + problem.Summary);
        if (problem.Detail.Length > 0)
        {
            foreach (var line in problem.Detail.TrimEnd('\n').Split('\n'))
                writer.WriteLine(("  " + line).TrimEnd());
        }

        if (problem.Remedy.Length > 0)
            writer.WriteLine(Sentence(problem.Remedy));
    }

    public void Write(UsageException problem, string? command)
    {
        writer.WriteLine(style.Red("gantry:") + " " + problem.Message);
        if (problem.Suggestion.Length > 0)
            writer.WriteLine(problem.Suggestion);
        writer.WriteLine($"See 'gantry {(command is null ? "" : command + " ")}--help'");
    }

    public void WriteInterrupted() => writer.WriteLine(style.Red("gantry:") + " interrupted");

    public void WriteBug(Exception exception, string? reportPath)
    {
        writer.WriteLine(
            style.Red("gantry:")
            + $" something is wrong with Gantry itself: {exception.GetType().Name}: {exception.Message}");
        if (reportPath is null)
            writer.WriteLine(exception.ToString());
        writer.WriteLine(
            "This is a bug. Please report it with what you did"
            + (reportPath is null ? " and the lines above." : $" and the file {reportPath}"));
    }

    private static string Sentence(string text) =>
        char.IsLower(text[0]) && !text.StartsWith("gantry ", StringComparison.Ordinal)
            ? char.ToUpperInvariant(text[0]) + text[1..]
            : text;
}
