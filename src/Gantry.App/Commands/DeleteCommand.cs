using System.CommandLine;

namespace Gantry.App.Commands;

/// <summary><c>gantry delete</c>.</summary>
internal static class DeleteCommand
{
    public const string Summary = "Delete machines with their disks and snapshots";

    public static Command Build(CommandContext context)
    {
        var machines = CommonArguments.Machines(context);
        var force = new Option<bool>("--force", "-f") { Description = "End them first when they run" };
        var command = new Command("delete", Summary) { machines, force };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            foreach (var name in parse.GetValue(machines)!)
            {
                var machine = await node.Machines.GetAsync(name, cancellationToken);
                await node.Remover.DeleteAsync(machine, parse.GetValue(force), cancellationToken);
                context.Terminal.Out.Write($"{machine.Spec.Name} is deleted\n");
            }

            return ExitCodes.Ok;
        });
        return command;
    }
}
