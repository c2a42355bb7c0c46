using System.CommandLine;
using Gantry.App.Hosting;
using Gantry.Engines.Linux;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary>
/// <c>gantry __merge MACHINE</c>, which commands that made a machine's chains longer leave running behind them: it
/// merges chains that are full, and ends.
/// </summary>
internal static class BackgroundMerge
{
    public const string Name = "__merge";
    public const string Summary = "Merge the layers of a machine's disks";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var command = new Command(Name, Summary) { machine };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var number = (await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken)).Number;
            using var held = await node.Host.LockAsync(number, Patience, cancellationToken);
            if (await node.Machines.FindAsync(number, cancellationToken) is not { } record)
                return ExitCodes.Ok;
            await using var guest = await node.Host.FindAsync(record, cancellationToken);
            record = await node.Freezer.RepairAsync(record, guest, cancellationToken);
            using var view = context.StartProgress();
            await node.Merger.MergeAsync(record, guest, view, cancellationToken);
            view.Complete();
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Begins a merge where a chain of the machine is full, and does not wait for it.</summary>
    public static async Task BeginAsync(GantryNode node, MachineNumber number, CancellationToken cancellationToken)
    {
        if (await node.Machines.FindAsync(number, cancellationToken) is not { } machine
            || !await node.Merger.IsFullAsync(machine, cancellationToken)
            || ThisProgram.TryPath is not { } program)
        {
            return;
        }

        try
        {
            BackgroundProgram.Start(
                program,
                [Name, number.ToString()],
                Path.Combine(node.Folders.MachineFolder(number), "merge.log"),
                ["GANTRY_HOME", "XDG_DATA_HOME", "DOTNET_ROOT"]);
        }
        catch (ProblemException)
        {
            // The next start or snapshot tries again, and merges itself where there is no room left.
        }
    }
}
