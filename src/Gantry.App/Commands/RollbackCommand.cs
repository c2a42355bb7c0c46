using System.CommandLine;
using Gantry.Machines.Snapshots;

namespace Gantry.App.Commands;

/// <summary><c>gantry rollback</c>: a machine as it was when a snapshot was taken.</summary>
internal static class RollbackCommand
{
    public const string Summary = "Make a machine what it was when a snapshot was taken";

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var name = SnapshotCommand.Argument(context);
        var withoutMemory = new Option<bool>("--without-memory")
        {
            Description = "Only the disks, though the snapshot has memory",
        };
        var unrenewed = new Option<bool>("--unrenewed")
        {
            Description = "Go on from memory also where the guest's clock and random numbers can't be renewed over SSH; "
                + "otherwise its disks are then booted",
        };
        var command = new Command("rollback", Summary) { machine, name, withoutMemory, unrenewed };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            var wanted = parse.GetValue(name)!;
            var options = new RollbackOptions
            {
                WithoutMemory = parse.GetValue(withoutMemory),
                Unrenewed = parse.GetValue(unrenewed),
            };
            using (var view = context.StartProgress())
            {
                await node.Reverter.RollBackAsync(record.Number, wanted, options, view, cancellationToken);
                view.Complete();
            }

            await BackgroundMerge.BeginAsync(node, record.Number, cancellationToken);
            var state = node.Host.IsAlive(record.Number) ? "runs" : "is stopped";
            context.Terminal.Out.Write($"{record.Spec.Name} is what it was at {wanted}, and {state}\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
