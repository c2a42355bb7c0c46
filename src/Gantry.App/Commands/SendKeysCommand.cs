using System.CommandLine;
using Gantry.Imaging.BootCommand;

namespace Gantry.App.Commands;

/// <summary><c>gantry send-keys</c>: a boot command, typed at a running machine.</summary>
internal static class SendKeysCommand
{
    public const string Summary = "Type at a machine's keyboard, in the words of a boot command";

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var keys = new Argument<string[]>("keys")
        {
            HelpName = "KEYS",
            Description = "Text and keys, such as 'root<enter>', '<leftCtrlOn>c<leftCtrlOff>' or '<wait5s>'",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("send-keys", Summary) { machine, keys };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            var script = HandTyping.Read(parse.GetValue(keys)!, record.Spec);
            await using var guest = await node.Host.GetRunningAsync(record, cancellationToken);
            using var view = context.StartProgress();
            await HandTyping.TypeAsync(
                guest, record.Spec, node.Host.PathsOf(record.Number).SerialLog, script, view, context.Time,
                cancellationToken);
            view.Complete();
            return ExitCodes.Ok;
        });
        return command;
    }
}
