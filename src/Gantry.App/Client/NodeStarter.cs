using System.Net.Sockets;
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
        while (await AnswersAsync(socket, cancellationToken))
        {
            var node = new NodeClient(socket);
            if (await IsGoodAsync(node, cancellationToken))
                return node;
            // One of before an upgrade, which is about to end.
            node.Dispose();
            await Task.Delay(Again, context.Time, cancellationToken);
        }

        var log = Path.Combine(folders.Home, "node.log");
        Start(log);
        var began = context.Time.GetTimestamp();
        while (!await AnswersAsync(socket, cancellationToken))
        {
            if (context.Time.GetElapsedTime(began) > Patience)
            {
                throw new ProblemException(
                    ProblemKind.TimedOut, $"a node was started for {folders.Home}, but it does not answer",
                    $"its log is {log}", detail: LastLines(log));
            }

            await Task.Delay(Again, context.Time, cancellationToken);
        }

        return new NodeClient(socket);
    }

    /// <summary>The node that serves this user's home; null where none does.</summary>
    public static async Task<NodeClient?> FindAsync(CancellationToken cancellationToken)
    {
        var socket = NodeLock.SocketOf(DataFolders.FromEnvironment());
        return await AnswersAsync(socket, cancellationToken) ? new NodeClient(socket) : null;
    }

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

    /// <summary>Whether a node is of this build of the program, or can't make room for one that is.</summary>
    private static async Task<bool> IsGoodAsync(NodeClient node, CancellationToken cancellationToken)
    {
        try
        {
            var found = await node.GetAsync("node", cancellationToken);
            return (found.TryGetProperty("build", out var build) && build.GetString() == ThisProgram.Build)
                || !await RetireAsync(node, cancellationToken);
        }
        catch (ProblemException e) when (e.Problem.Kind == ProblemKind.Unavailable)
        {
            return false;
        }
    }

    private static void Start(string log)
    {
        BackgroundProgram.Start(
            ThisProgram.Path, ["serve", "--private"], log,
            ["GANTRY_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "DOTNET_ROOT", "NO_COLOR"]);
    }

    /// <summary>Whether a node serves there; a private one that does stays for a while from then on.</summary>
    private static async Task<bool> AnswersAsync(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
            return false;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            await socket.SendAsync(
                "GET /healthz HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"u8.ToArray(), cancellationToken);
            var answer = new byte[64];
            var length = await socket.ReceiveAsync(answer, cancellationToken);
            return answer.AsSpan(0, length).StartsWith("HTTP/1.1 200"u8);
        }
        catch (SocketException)
        {
            return false;
        }
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
