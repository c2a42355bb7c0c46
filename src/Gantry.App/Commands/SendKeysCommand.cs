using System.CommandLine;
using Gantry.App.Hosting;
using Gantry.Engines;
using Gantry.Engines.Keyboard;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Engines.Screen;
using Gantry.Imaging.BootCommand;
using Gantry.Imaging.Builds;
using Gantry.Model;
using Gantry.Model.Machines;

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
            var script = Read(parse.GetValue(keys)!, record.Spec);
            await using var guest = await node.Host.GetRunningAsync(record, cancellationToken);
            await TypeAsync(context, node, record, guest, script, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    internal static BootCommandScript Read(string[] keys, MachineSpec spec)
    {
        var layout = KeyboardLayout.Find(spec.KeyboardLayout)
            ?? throw new ProblemException(
                ProblemKind.InvalidInput, $"{spec.Name} has a keyboard layout that Gantry does not know: {spec.KeyboardLayout}",
                "known layouts: " + string.Join(", ", KeyboardLayout.All));
        var script = BootCommandScript.Parse(keys, new TemplateScope(), new BootCommandOptions { Layout = layout });
        return script.HasErrors
            ? throw new ProblemException(
                ProblemKind.InvalidInput,
                "these keys can't be typed",
                "see what can be written between < and > in Packer's boot_command",
                string.Join('\n', script.Diagnostics.Where(found => found.IsError)))
            : script;
    }

    private static async Task TypeAsync(
        CommandContext context, GantryNode node, MachineRecord machine, IMachineGuest guest, BootCommandScript script,
        CancellationToken cancellationToken)
    {
        using var view = context.StartProgress();
        try
        {
            using var keyboard = await GuestKeyboard.OpenAsync(
                guest.Monitor, new GuestKeyboardOptions { Notice = view.Note, Clock = context.Time }, cancellationToken);
            await using var serial = new SerialFollower(
                node.Host.PathsOf(machine.Number).SerialLog, _ => { }, context.Time);
            var screen = new QemuScreenReader(guest.Monitor, machine.Spec.Isa is Isa.X86_64 or Isa.I386);
            var typist = new Typist(keyboard, screen, serial.Transcript, new TypistOptions
            {
                Clock = context.Time,
                Progress = progress =>
                {
                    if (progress.Begins)
                        view.Activity(progress.Description);
                },
            });
            await typist.RunAsync(script, cancellationToken);
            view.Complete();
        }
        catch (BootWaitException e)
        {
            throw new ProblemException(
                ProblemKind.TimedOut, e.Message, "compare what was waited for with what the screen shows", inner: e);
        }
        catch (Exception e) when (e is KeyboardException or QmpException or QmpConnectionException or TimeoutException)
        {
            throw new ProblemException(
                ProblemKind.Failed, $"the keys could not be typed at {machine.Spec.Name}: {e.Message}", inner: e);
        }
    }
}
