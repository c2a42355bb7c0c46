using System.CommandLine;
using System.Runtime.InteropServices;
using Gantry.App.Hosting;
using Gantry.Machines.Guest;

namespace Gantry.App.Commands;

/// <summary><c>gantry ssh</c>: a shell in the guest, or one command for its shell.</summary>
internal static class SshCommand
{
    public const string Summary = "Log in to a machine over SSH, or run a command line there";

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var words = GuestCommands.Words("A command line for the guest's shell, joined by blanks as ssh does", required: false);
        var command = new Command("ssh", Summary) { machine, words };
        var login = GuestLogin.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            var text = string.Join(' ', GuestCommands.WordsOf(parse, words));
            await using var shell = await login.ConnectAsync(context, node, record, parse, cancellationToken);
            if (text.Length == 0 && context.Terminal.InIsTerminal)
                return await OpenAsync(context, shell, cancellationToken);
            // Without a terminal the shell reads its commands from the pipe.
            return await GuestCommands.RunAsync(
                context, shell, text.Length > 0 ? text : "exec ${SHELL:-sh}", cancellationToken);
        });
        return command;
    }

    private static async Task<int> OpenAsync(
        CommandContext context, GuestShell shell, CancellationToken cancellationToken)
    {
        context.Terminal.Out.Flush();
        var (columns, rows) = RawTerminal.Size();
        var kind = context.Environment("TERM") is { Length: > 0 } name ? name : "xterm";
        await using var terminal = await GuestLoginShell.OpenAsync(shell, kind, columns, rows, cancellationToken);
        using var resized = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ =>
        {
            var (width, height) = RawTerminal.Size();
            terminal.Resize(width, height);
        });
        await using var input = RawTerminal.OpenInput();
        await using var output = RawTerminal.OpenOutput();
        using (RawTerminal.TryOpen())
            return await terminal.AttachAsync(input, output, context.Time, cancellationToken) ?? ExitCodes.Ok;
    }
}
