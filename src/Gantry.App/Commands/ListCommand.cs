using System.CommandLine;
using System.Globalization;
using Gantry.App.Hosting;
using Gantry.App.Output;
using Gantry.Model.Machines;
using Gantry.Storage.Volumes;

namespace Gantry.App.Commands;

/// <summary><c>gantry list</c> and <c>gantry show</c>: machines as they are.</summary>
internal static class ListCommand
{
    public const string Summary = "List machines";
    public const string ShowSummary = "Show all that is known of a machine";

    public static Command Build(CommandContext context)
    {
        var command = new Command("list", Summary);
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var format = output.Of(parse);
            if (format == OutputFormat.Table)
            {
                context.Output.WriteText(Table(await MachineViews.LinesAsync(node, cancellationToken)));
            }
            else
            {
                var machines = await MachineViews.AllAsync(node, cancellationToken);
                context.Output.WriteData(machines, MachineViewJson.Default.ListMachineView, format);
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    public static Command BuildShow(CommandContext context)
    {
        var name = CommonArguments.Machine(context);
        var command = new Command("show", ShowSummary) { name };
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var machine = await node.Machines.GetAsync(parse.GetValue(name)!, cancellationToken);
            await WriteAsync(context, node, machine, output.Of(parse), cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Writes all that is known of one machine.</summary>
    public static async Task WriteAsync(
        CommandContext context, GantryNode node, MachineRecord machine, OutputFormat format,
        CancellationToken cancellationToken)
    {
        var view = await MachineViews.OfAsync(node, machine, cancellationToken);
        context.Output.Write(
            new Rendered<MachineView>(view, () => MachineViewJson.Default.MachineView, Fields), format);
    }

    private static TextTable Table(List<MachineLine> machines)
    {
        var table = new TextTable(
            new Column("number", Right: true), new Column("name"), new Column("state"),
            new Column("isa"), new Column("runs by"),
            new Column("cpus", Right: true), new Column("memory", Right: true),
            new Column("ports"), new Column("template"));
        foreach (var line in machines)
        {
            var one = line.Outline;
            table.Add(
                one.Number.ToString(), one.Name, line.State, one.Isa.Name(), line.Accelerator ?? "",
                $"{one.Cpus}", $"{one.MemoryMiB} MiB",
                PortText(line.Ports), one.Template ?? "");
        }

        return table;
    }

    private static FieldList Fields(MachineView one)
    {
        var fields = new FieldList
        {
            { "number", one.Number.ToString() },
            { "name", one.Name },
            { "state", one.State },
            { "isa", one.Isa },
            { "instructions", one.Accelerator is null ? "" : $"{one.Accelerator}: {one.AcceleratorReason}" },
            { "machine type", one.MachineType ?? "" },
            { "cpus", $"{one.Cpus}" },
            { "memory", $"{one.MemoryMiB} MiB" },
            { "uuid", one.Uuid.ToString() },
            { "process", one.Pid is { } pid ? $"{pid}" : "" },
            { "template", one.Template ?? "" },
            { "ports", PortText(one.Ports) },
            { "protected", one.Protected ? "yes" : "no" },
            { "notes", one.Notes },
        };
        for (var i = 0; i < one.Disks.Count; i++)
            fields.Add($"disk {i}", DiskText(one.Disks[i]));
        foreach (var link in one.Chain)
            fields.Add($"from {link.Kind}", $"{link.Name} {link.Digest[..12]}");
        foreach (var snapshot in one.Snapshots)
            fields.Add("snapshot", SnapshotText(snapshot));
        return fields;
    }

    private static string PortText(IEnumerable<PortView> ports) => string.Join(' ', ports);

    /// <summary>The layers stand from the one that is written down to the one that stands alone.</summary>
    private static string DiskText(DiskView disk)
    {
        var layers = disk.Layers.Select(layer => $"  {layer.Volume} {FileSpace.Words(layer.Bytes)}: {layer.Purpose}");
        var merging = disk.Layers.Count > VolumePool.LongestChain
            ? $", more than {VolumePool.LongestChain}: merged at the next start" : "";
        return $"{disk.SizeBytes >> 20} MiB in {disk.Layers.Count} layers{merging}\n{string.Join('\n', layers)}";
    }

    private static string SnapshotText(SnapshotView snapshot) =>
        snapshot.Name
        + snapshot.Created.LocalDateTime.ToString(" (yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)
        + (snapshot.Memory ? ", with memory" : "") + (snapshot.Parent is { } parent ? $", after {parent})" : ")")
        + (snapshot.Current ? " ← here" : "") + (snapshot.Notes.Length > 0 ? ": " + snapshot.Notes : "");
}
