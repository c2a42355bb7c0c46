using Gantry.Model;

namespace Gantry.Engines.Linux;

/// <summary>Starts programs that go on when this one has ended, in a session of their own.</summary>
public static class BackgroundProgram
{
    /// <summary>Starts one; it is not waited for.</summary>
    /// <param name="program">Absolute.</param>
    /// <param name="arguments">Without the program's own name.</param>
    /// <param name="logPath">Its output is appended here.</param>
    /// <param name="variables">Names of environment variables that it gets besides the usual ones.</param>
    /// <exception cref="ProblemException">It can't be started.</exception>
    public static void Start(
        string program, IReadOnlyList<string> arguments, string logPath, IReadOnlyList<string> variables)
    {
        try
        {
            Spawner.Start(new SpawnRequest
            {
                Program = program,
                Arguments = arguments,
                LogPath = logPath,
                Variables = variables,
            });
        }
        catch (IOException e)
        {
            throw new ProblemException(ProblemKind.Unavailable, e.Message, inner: e);
        }
    }
}
