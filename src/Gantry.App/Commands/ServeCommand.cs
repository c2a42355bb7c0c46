using System.CommandLine;
using Gantry.App.Client;
using Gantry.App.Serving;
using Gantry.Model;
using Gantry.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gantry.App.Commands;

/// <summary><c>gantry serve</c>: makes this host a node that is driven over its API.</summary>
internal static class ServeCommand
{
    public const string Summary = "Serve the API of this host's machines until it is told to end";

    /// <summary>
    /// A command may find a private node that is just ending, and start another: that one waits for its turn.
    /// </summary>
    private static readonly TimeSpan LastNodesFarewell = TimeSpan.FromSeconds(15);

    public static Command Build(CommandContext context)
    {
        var isPrivate = new Option<bool>("--private")
        {
            Description = "End when nothing needs it: what commands start by themselves",
            Hidden = true,
        };
        var command = new Command("serve", Summary) { isPrivate };
        command.SetAction((parse, cancellationToken) =>
            RunAsync(context, parse.GetValue(isPrivate), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, bool isPrivate, CancellationToken cancellationToken)
    {
        var folders = DataFolders.FromEnvironment();
        folders.Create();
        using var held = await NodeLock.TakeAsync(
            folders, isPrivate ? LastNodesFarewell : TimeSpan.Zero, context.Time, cancellationToken)
            ?? (isPrivate ? null : await TakeOverAsync(context, folders, cancellationToken));
        if (held is null)
        {
            // Two commands started one each: the other is as good.
            if (isPrivate)
                return ExitCodes.Ok;
            throw new ProblemException(
                ProblemKind.Conflict, $"another program serves {folders.Home} already",
                "end it first, or set GANTRY_HOME to another folder");
        }

        using var logs = LoggerFactory.Create(builder => builder
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "yyyy-MM-dd HH:mm:ss ";
                console.UseUtcTimestamp = true;
            })
            .Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
                options => options.LogToStandardErrorThreshold = LogLevel.Trace));
        await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
        await new NodeProcess(node, isPrivate, logs).RunAsync(cancellationToken);
        return ExitCodes.Ok;
    }

    /// <summary>Has the private node that serves the home, if it is one, make room.</summary>
    private static async Task<NodeLock?> TakeOverAsync(
        CommandContext context, DataFolders folders, CancellationToken cancellationToken)
    {
        using var node = new NodeClient(NodeLock.SocketOf(folders));
        return await NodeStarter.RetireAsync(node, cancellationToken)
            ? await NodeLock.TakeAsync(folders, LastNodesFarewell, context.Time, cancellationToken) : null;
    }
}
