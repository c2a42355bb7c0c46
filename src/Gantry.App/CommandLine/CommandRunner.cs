using System.CommandLine;
using System.CommandLine.Parsing;
using Gantry.App.Commands;
using Gantry.App.Hosting;
using Gantry.Model;

namespace Gantry.App.CommandLine;

/// <summary>Runs one command line: finds the command, builds and parses only that one, and turns whatever comes out of
/// it into text and an exit code.</summary>
internal sealed class CommandRunner(
    CommandContext context, IReadOnlyList<CommandEntry> commands, Interruption interruption)
{
    /// <summary>Packer's options have one hyphen and several letters, so letters are never bundled; an argument that
    /// begins with @ is no response file.</summary>
    internal static readonly ParserConfiguration Parser = new()
    {
        EnablePosixBundling = false,
        ResponseFileTokenReplacer = null,
    };

    private static readonly string[] HelpWords = ["--help", "-h", "-help", "-?", "help"];
    private static readonly string[] VersionWords = ["--version", "-v", "-version"];

    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var code = await ReportedAsync(arguments);
        context.Terminal.Out.Flush();
        // A terminal that is gone has nobody who misses anything.
        if (context.Terminal is not { OutFailure: { } failure, OutIsTerminal: false } || code != ExitCodes.Ok)
            return code;
        new ErrorWriter(context.Terminal.Error, context.ErrorStyle).Write(new Problem
        {
            Kind = ProblemKind.Failed,
            Summary = $"the output could not be written whole: {failure.Message}",
        });
        return ExitCodes.Failed;
    }

    private async Task<int> ReportedAsync(IReadOnlyList<string> arguments)
    {
        var errors = new ErrorWriter(context.Terminal.Error, context.ErrorStyle);
        var command = arguments.Count > 0 ? commands.FirstOrDefault(entry => entry.Name == arguments[0])?.Name : null;
        try
        {
            return await DispatchAsync(arguments);
        }
        catch (UsageException e)
        {
            errors.Write(e, command);
            return ExitCodes.Usage;
        }
        catch (ProblemException e)
        {
            errors.Write(e.Problem);
            // Work that was cut short often fails in ways of its own; the signal is the reason.
            return interruption.ExitCode ?? ExitCodes.For(e.Problem.Kind);
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            errors.WriteInterrupted();
            return interruption.ExitCode ?? ExitCodes.Interrupted;
        }
        catch (Exception e)
        {
            var report = BugReport.TryWrite(context.CrashFolder(), command, e, context.Time, context.Entropy);
            errors.WriteBug(e, report);
            return ExitCodes.Bug;
        }
    }

    /// <summary>The parser's root with one command under it, and the help option that all commands have.</summary>
    internal static (Command Root, Option<bool> Help) Tree(Command command)
    {
        var help = new Option<bool>("--help", "-h", "-help", "-?") { Description = "Show this help", Recursive = true };
        return (new Command("gantry") { command, help }, help);
    }

    private async Task<int> DispatchAsync(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0 || (arguments.Count == 1 && HelpWords.Contains(arguments[0])))
        {
            // Asked for, it is a result; otherwise a hint.
            var writer = arguments.Count == 0 ? context.Terminal.Error : context.Terminal.Out;
            HelpText.WriteOverview(writer, commands, context.Terminal.Width);
            return arguments.Count == 0 ? ExitCodes.Usage : ExitCodes.Ok;
        }

        var words = arguments[0] == "help" ? [.. arguments.Skip(1), "--help"] : arguments;
        if (VersionWords.Contains(words[0]))
            words = ["version", .. words.Skip(1)];
        var entry = commands.FirstOrDefault(entry => entry.Name == words[0]) ?? throw Unknown(words[0]);
        var (root, help) = Tree(entry.Build(context));
        var parse = root.Parse(words, Parser);
        var path = string.Join(' ', PathOf(parse));
        if (parse.GetValue(help))
        {
            HelpText.WriteCommand(context.Terminal.Out, WithHelp(parse.CommandResult.Command, help), "gantry " + path,
                context.Terminal.Width);
            return ExitCodes.Ok;
        }

        UsageCheck.Check(parse, path);
        // No exception handler and no signal handler of the parser's: both are here.
        var invocation = new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
            Output = context.Terminal.Out,
            Error = context.Terminal.Error,
        };
        return await parse.InvokeAsync(invocation, interruption.Token);
    }

    private static Stack<string> PathOf(ParseResult parse)
    {
        Stack<string> path = [];
        for (SymbolResult? level = parse.CommandResult; level?.Parent is not null; level = level.Parent)
        {
            if (level is CommandResult one)
                path.Push(one.Command.Name);
        }

        return path;
    }

    private static Command WithHelp(Command command, Option<bool> help)
    {
        command.Add(help);
        return command;
    }

    private UsageException Unknown(string word) =>
        word.StartsWith('-')
            ? new UsageException($"there is no option {word}; a command comes first")
            : new UsageException(
                $"there is no command '{word}'",
                Suggestion.For(word, commands.Where(entry => !entry.Hidden).Select(entry => entry.Name)));
}
