using System.CommandLine;
using System.Globalization;
using Gantry.App.Output;
using Gantry.Machines.Snapshots;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary><c>gantry snapshot</c>: keep what a machine is at this moment, list and delete what was kept.</summary>
internal static class SnapshotCommand
{
    public const string Summary = "Keep a machine's disks, and its memory, as they are now";

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var name = new Argument<string?>("name")
        {
            HelpName = "NAME",
            Description = "The snapshot's name; snap-1, snap-2, ... when none is given",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var memory = new Option<bool>("--memory", "-m")
        {
            Description = "Keep the memory too: a rollback then goes on where the machine was",
        };
        var notes = new Option<string>("--notes") { HelpName = "TEXT", Description = "Notes for people" };
        var command = new Command("snapshot", Summary) { machine, name, memory, notes, List(context), Delete(context) };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            var request = new SnapshotRequest
            {
                Name = parse.GetValue(name) ?? FreeName(record),
                Notes = parse.GetValue(notes) ?? "",
                Memory = parse.GetValue(memory),
            };
            using (var view = context.StartProgress())
            {
                await node.Snapshots.TakeAsync(record.Number, request, view, cancellationToken);
                view.Complete();
            }

            await BackgroundMerge.BeginAsync(node, record.Number, cancellationToken);
            context.Terminal.Out.Write(
                $"{record.Spec.Name} has the snapshot {request.Name}: gantry rollback {record.Spec.Name} {request.Name}\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>A snapshot of the machine named before it, with its completion.</summary>
    public static Argument<string> Argument(CommandContext context)
    {
        var argument = new Argument<string>("snapshot") { HelpName = "SNAPSHOT", Description = "The snapshot's name" };
        argument.CompletionSources.Add(_ => context.Names.Snapshots());
        return argument;
    }

    private static Command List(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var command = new Command("list", "List a machine's snapshots") { machine };
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            context.Output.Write(
                new Rendered<List<SnapshotView>>([.. MachineViews.Snapshots(record)],
                    () => MachineViewJson.Default.ListSnapshotView, Table),
                output.Of(parse));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Delete(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var name = Argument(context);
        var command = new Command("delete", "Delete a snapshot; the machine stays as it is") { machine, name };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            var wanted = parse.GetValue(name)!;
            using (var view = context.StartProgress())
            {
                await node.SnapshotDeleter.DeleteAsync(record.Number, wanted, view, cancellationToken);
                view.Complete();
            }

            context.Terminal.Out.Write($"snapshot {wanted} of {record.Spec.Name} is deleted\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static string FreeName(MachineRecord machine)
    {
        for (var number = 1; ; number++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"snap-{number}");
            if (machine.Snapshots.All(snapshot => snapshot.Name != name))
                return name;
        }
    }

    private static TextTable Table(List<SnapshotView> snapshots)
    {
        var table = new TextTable(
            new Column("name"), new Column("created"), new Column("memory"), new Column("after"),
            new Column("here"), new Column("notes"));
        foreach (var one in snapshots)
        {
            table.Add(
                one.Name,
                one.Created.LocalDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
                one.Memory ? "yes" : "no",
                one.Parent ?? "",
                one.Current ? "yes" : "",
                one.Notes);
        }

        return table;
    }
}
