using System.CommandLine;
using Gantry.App.Hosting;
using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.App.Commands;

/// <summary>Commands in a guest, with this process's streams.</summary>
internal static class GuestCommands
{
    /// <summary>The words behind the machine's name, whatever they look like.</summary>
    public static Argument<string[]> Words(string description, bool required) => new("command")
    {
        HelpName = "COMMAND",
        Description = description,
        Arity = required ? ArgumentArity.OneOrMore : ArgumentArity.ZeroOrMore,
        CaptureRemainingTokens = true,
    };

    public static string[] WordsOf(ParseResult parse, Argument<string[]> words) =>
        parse.GetValue(words) is ["--", .. var rest] ? rest : parse.GetValue(words) ?? [];

    /// <summary>Runs a line of the guest's shell; a pipe's content is its input. Returns its exit code.</summary>
    public static async Task<int> RunAsync(
        CommandContext context, GuestShell shell, string text, CancellationToken cancellationToken)
    {
        context.Terminal.Out.Flush();
        await using var output = RawTerminal.OpenOutput();
        await using var error = RawTerminal.OpenError();
        await using var input = context.Terminal.InIsTerminal ? null : RawTerminal.OpenInput();
        var command = new GuestCommand { Text = text, Input = input };
        return CodeOf(await shell.ExecuteAsync(command, output, error, cancellationToken));
    }

    internal static int CodeOf(ExitStatus status) => status switch
    {
        ExitStatus.Disconnected lost => throw new ProblemException(
            ProblemKind.Unavailable,
            $"the connection was lost while the command ran ({lost.Reason}); what it did is unknown",
            "look whether the machine still runs: gantry list"),
        _ => status.ShellCode ?? ExitCodes.Failed,
    };
}
