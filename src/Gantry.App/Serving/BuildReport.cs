using System.Text.Json;
using Gantry.Model;
using Gantry.Model.Tasks;

namespace Gantry.App.Serving;

/// <summary>
/// The last line of a build that a node has started as a program of its own: how it ended. All lines before it are for
/// people.
/// </summary>
internal static class BuildReport
{
    private const string Mark = "gantry-build: ";

    public static string Done(TaskResult result) =>
        Write(new TaskState { Id = "", Phase = TaskPhase.Done, Result = result });

    public static string Failed(Problem problem) =>
        Write(new TaskState { Id = "", Phase = TaskPhase.Failed, Problem = problem });

    /// <summary>Null for a line that is for people.</summary>
    public static TaskState? Read(string line)
    {
        if (!line.StartsWith(Mark, StringComparison.Ordinal))
            return null;
        try
        {
            return JsonSerializer.Deserialize(line.AsSpan(Mark.Length), TaskJson.Default.TaskState);
        }
        catch (JsonException)
        {
            // A guest may print anything.
            return null;
        }
    }

    private static string Write(TaskState state) => Mark + JsonSerializer.Serialize(state, TaskJson.Default.TaskState);
}
