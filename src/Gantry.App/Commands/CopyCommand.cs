using System.CommandLine;
using Gantry.App.CommandLine;
using Gantry.Machines.Guest;

namespace Gantry.App.Commands;

/// <summary><c>gantry cp</c>: files and folders into a guest or out of it.</summary>
internal static class CopyCommand
{
    public const string Summary = "Copy files and folders into a machine or out of it";

    public static Command Build(CommandContext context)
    {
        var source = End(context, "source", "SRC", "A path here, or MACHINE:PATH");
        var destination = End(context, "destination", "DST", "A path here, or MACHINE:PATH");
        var command = new Command("cp", Summary) { source, destination };
        var login = GuestLogin.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var from = CopyPlace.Parse(parse.GetValue(source)!);
            var to = CopyPlace.Parse(parse.GetValue(destination)!);
            if ((from.Machine ?? to.Machine) is not { } name || (from.Machine is not null && to.Machine is not null))
            {
                throw new UsageException(
                    "one of SRC and DST must be in a machine, as MACHINE:PATH, and the other here",
                    "A local file with a colon in its name is given as ./NAME");
            }

            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var record = await node.Machines.GetAsync(name, cancellationToken);
            await using var shell = await login.ConnectAsync(context, node, record, parse, cancellationToken);
            using var view = context.StartProgress();
            view.Activity(from.Machine is null ? $"Copying {from.Path} to {name}" : $"Copying {from.Path} from {name}");
            long? total = from.Machine is null && File.Exists(from.Path) ? new FileInfo(from.Path).Length : null;
            var options = new TransferOptions { Progress = done => view.Amount(done, total, "bytes") };
            if (from.Machine is null)
                await shell.UploadPathAsync(await SourceAsync(shell, from.Path, to.Path, cancellationToken), to.Path, options, cancellationToken);
            else
                await shell.DownloadPathAsync(await SourceAsync(shell, from.Path, to.Path, cancellationToken, isRemote: true), to.Path, options, cancellationToken);
            view.Complete();
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>
    /// As cp does: a folder goes into a destination that is there, and takes the name of one that is not. A slash at
    /// its end means its contents.
    /// </summary>
    private static async Task<string> SourceAsync(
        GuestShell shell, string source, string destination, CancellationToken cancellationToken, bool isRemote = false)
    {
        if (source.EndsWith('/') || destination.EndsWith('/'))
            return source;
        var exists = isRemote ? Path.Exists(destination) : await TestAsync(shell, "-e", destination, cancellationToken);
        if (exists)
            return source;
        var isFolder = isRemote ? await TestAsync(shell, "-d", source, cancellationToken) : Directory.Exists(source);
        return isFolder ? source + "/" : source;
    }

    private static async Task<bool> TestAsync(
        GuestShell shell, string test, string path, CancellationToken cancellationToken)
    {
        var quoted = path.StartsWith("~/", StringComparison.Ordinal)
            ? ShellText.Quote("./" + path[2..]) : ShellText.Quote(path);
        return (await shell.RunAsync($"test {test} {quoted}", cancellationToken)).Status.IsSuccess;
    }

    private static Argument<string> End(CommandContext context, string name, string placeholder, string description)
    {
        var argument = new Argument<string>(name) { HelpName = placeholder, Description = description };
        argument.CompletionSources.Add(_ => context.Names.Machines().Select(machine => machine + ":"));
        return argument;
    }
}

/// <summary>One side of a copy; a machine of null is here.</summary>
internal sealed record CopyPlace(string? Machine, string Path)
{
    /// <summary>As scp reads it: a colon before the first slash ends a machine's name. An empty path in a guest is the
    /// login's folder.</summary>
    public static CopyPlace Parse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (colon <= 0 || (slash >= 0 && slash < colon))
            return new CopyPlace(null, text);
        var path = text[(colon + 1)..];
        return new CopyPlace(text[..colon], path.Length > 0 ? path : ".");
    }
}
