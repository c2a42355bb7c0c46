using System.CommandLine;
using Gantry.Machines.Guest;

namespace Gantry.App.Commands;

/// <summary><c>gantry exec</c>: one command in the guest, with its input, outputs and exit code.</summary>
internal static class ExecCommand
{
    public const string Summary = "Run a command in a machine and exit with its exit code";

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var words = GuestCommands.Words(
            "The command and its arguments, each kept as it is; a single one is a line for the guest's shell", required: true);
        var command = new Command("exec", Summary) { machine, words };
        var login = GuestLogin.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var given = GuestCommands.WordsOf(parse, words);
            var text = given is [var line] ? line : string.Join(' ', given.Select(ShellText.Quote));
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            await using var shell = await login.ConnectAsync(context, node, record, parse, cancellationToken);
            return await GuestCommands.RunAsync(context, shell, text, cancellationToken);
        });
        return command;
    }
}
