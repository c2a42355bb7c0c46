using Gantry.App.Commands;
using Gantry.App.Serving;
using Gantry.Engines.Linux;
using Gantry.Model;
using Gantry.Storage;

namespace Gantry.App.Client;

/// <summary>Reaches the node that serves this user's home, and starts a private one where none does.</summary>
internal static class NodeStarter
{
    /// <summary>A busy host compiles the program's first steps slowly.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(20);

    /// <exception cref="ProblemException">There is none, and none could be started.</exception>
    public static async Task<NodeClient> ConnectAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var folders = DataFolders.FromEnvironment();
        folders.Create();
        var socket = NodeLock.SocketOf(folders);
        if (await ReachAsync(socket, ofAnyBuild: false, cancellationToken) is { } serving)
            return serving;
        var log = Path.Combine(folders.Home, "node.log");
        Start(log);
        var began = context.Time.GetTimestamp();
        while (true)
        {
            if (await ReachAsync(socket, ofAnyBuild: false, cancellationToken) is { } node)
                return node;
            if (context.Time.GetElapsedTime(began) > Patience)
            {
                throw new ProblemException(
                    ProblemKind.TimedOut, $"a node was started for {folders.Home}, but it does not answer",
                    $"its log is {log}", detail: LastLines(log));
            }

            await Task.Delay(Again, context.Time, cancellationToken);
        }
    }

    /// <summary>The node that serves this user's home; null where none does.</summary>
    public static Task<NodeClient?> FindAsync(CancellationToken cancellationToken) =>
        ReachAsync(NodeLock.SocketOf(DataFolders.FromEnvironment()), ofAnyBuild: true, cancellationToken);

    /// <summary>Asks a node that a command started to end; false where it goes on.</summary>
    public static async Task<bool> RetireAsync(NodeClient node, CancellationToken cancellationToken)
    {
        try
        {
            await node.PostAsync("node/retire", body: null, cancellationToken);
            return true;
        }
        catch (ProblemException e)
        {
            // It is none that commands end, or works for another one; or it has just ended by itself.
            return e.Problem.Kind == ProblemKind.Unavailable;
        }
    }

    /// <summary>
    /// The node that serves there; a private one stays for a while from then on. Null where none does, or one of before
    /// an upgrade that is about to end: the next one waits for that.
    /// </summary>
    private static async Task<NodeClient?> ReachAsync(
        string socket, bool ofAnyBuild, CancellationToken cancellationToken)
    {
        if (!File.Exists(socket))
            return null;
        var node = new NodeClient(socket);
        var isGood = false;
        try
        {
            var found = await node.GetAsync("node", cancellationToken);
            isGood = ofAnyBuild
                || (found.TryGetProperty("build", out var build) && build.GetString() == ThisProgram.Build)
                || !await RetireAsync(node, cancellationToken);
        }
        catch (ProblemException e) when (e.Problem.Kind == ProblemKind.Unavailable)
        {
            // A dead node's socket.
        }
        finally
        {
            if (!isGood)
                node.Dispose();
        }

        return isGood ? node : null;
    }

    private static void Start(string log)
    {
        BackgroundProgram.Start(
            ThisProgram.Path, ["serve", "--private"], log,
            ["GANTRY_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "DOTNET_ROOT", "NO_COLOR"]);
    }

    private static string LastLines(string log)
    {
        try
        {
            return string.Join('\n', File.ReadLines(log).TakeLast(10));
        }
        catch (IOException)
        {
            return "";
        }
    }
}
