using System.CommandLine;
using Gantry.Machines.Guest;

namespace Gantry.App.Commands;

/// <summary><c>gantry clone</c>: a new machine from a template or from another machine as it is now.</summary>
internal static class CloneCommand
{
    public const string Summary = "Clone a machine, or make one from a template";

    public static Command Build(CommandContext context)
    {
        var source = new Argument<string>("source") { HelpName = "MACHINE_OR_TEMPLATE", Description = "What to clone" };
        var options = new MachineOptions();
        var command = new Command("clone", Summary) { source };
        options.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var name = parse.GetValue(source)!;
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            var key = await NodeKey.GetAsync(node.Folders, cancellationToken);
            var machine = await node.Machines.FindAsync(name, cancellationToken);
            var template = machine is null ? await node.Templates.GetAsync(name, cancellationToken) : null;
            var wishes = await options.WishesAsync(
                node, parse, template?.LoginUser ?? machine?.Spec.CloudInit?.User, key.PublicKey, cancellationToken);
            var clone = machine is null
                ? await node.Launcher.FromTemplateAsync(template!, wishes, cancellationToken)
                : await node.Launcher.FromMachineAsync(machine, wishes, cancellationToken);
            if (machine is not null)
                await BackgroundMerge.BeginAsync(node, machine.Number, cancellationToken);
            context.Terminal.Out.Write($"{clone.Spec.Name} ({clone.Number}) is made: gantry start {clone.Spec.Name}\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
