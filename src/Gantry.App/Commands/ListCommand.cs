using System.CommandLine;
using System.Text.Json.Serialization;
using Gantry.App.Hosting;
using Gantry.App.Output;
using Gantry.Model;
using Gantry.Model.Machines;

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
            var rows = new List<MachineView>();
            foreach (var machine in await node.Machines.ListAsync(cancellationToken))
                rows.Add(await ViewAsync(node, machine, askGuest: false, cancellationToken));
            context.Output.Write(new Rendered<List<MachineView>>(rows, () => MachineViewJson.Default.ListMachineView, Table), output.Of(parse));
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
        CommandContext context, GantryNode node, MachineRecord machine, OutputFormat format, CancellationToken cancellationToken)
    {
        var view = await ViewAsync(node, machine, askGuest: true, cancellationToken);
        context.Output.Write(new Rendered<MachineView>(view, () => MachineViewJson.Default.MachineView, Fields), format);
    }

    private static TextTable Table(List<MachineView> machines)
    {
        var table = new TextTable(
            new Column("number", Right: true), new Column("name"), new Column("state"), new Column("isa"), new Column("runs by"),
            new Column("cpus", Right: true), new Column("memory", Right: true), new Column("ports"), new Column("template"));
        foreach (var one in machines)
        {
            table.Add(
                one.Number.ToString(), one.Name, one.State, one.Isa, one.Accelerator ?? "", $"{one.Cpus}", $"{one.MemoryMiB} MiB",
                string.Join(' ', one.Ports), one.Template ?? "");
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
            { "template", one.Template ?? "" },
            { "ports", string.Join(' ', one.Ports) },
            { "protected", one.Protected ? "yes" : "no" },
            { "notes", one.Notes },
        };
        for (var i = 0; i < one.Disks.Count; i++)
            fields.Add($"disk {i}", $"{one.Disks[i].SizeBytes >> 20} MiB, {one.Disks[i].Files} files, {one.Disks[i].OwnBytes >> 20} MiB of its own");
        foreach (var link in one.Chain)
            fields.Add($"from {link.Kind}", $"{link.Name} {link.Digest[..12]}");
        foreach (var snapshot in one.Snapshots)
            fields.Add("snapshot", snapshot);
        return fields;
    }

    private static async Task<MachineView> ViewAsync(
        GantryNode node, MachineRecord machine, bool askGuest, CancellationToken cancellationToken)
    {
        var runtime = node.Host.Runtime(machine.Number);
        var alive = runtime is not null || node.Host.IsAlive(machine.Number);
        var phase = !alive ? MachinePhase.Stopped
            : askGuest ? await node.Host.PhaseAsync(machine, cancellationToken) : MachinePhase.Running;
        var template = machine.Template is { } id && askGuest ? (await node.Templates.FindByIdAsync(id, cancellationToken))?.Name : null;
        return new MachineView
        {
            Number = machine.Number,
            Name = machine.Spec.Name,
            State = phase.ToString().ToLowerInvariant(),
            Isa = machine.Spec.Isa.Name(),
            Accelerator = runtime?.Accelerator.ToString().ToLowerInvariant(),
            AcceleratorReason = runtime?.AcceleratorReason,
            Started = runtime?.Started,
            MachineType = machine.Spec.MachineType,
            Cpus = machine.Spec.Cpu.Count,
            MemoryMiB = machine.Spec.MemoryMiB,
            Uuid = machine.Uuid,
            Role = machine.Role.ToString().ToLowerInvariant(),
            Template = template ?? machine.Provenance.Chain.LastOrDefault(link => link.Kind == "template")?.Name,
            Ports = (runtime?.Ports ?? []).Select(port => $"{port.Address}:{port.HostPort}→{port.GuestPort}{(port.Udp ? "/udp" : "")}").ToValueList(),
            Protected = machine.Spec.Protected,
            Notes = machine.Spec.Notes,
            Snapshots = machine.Snapshots.Select(snapshot => snapshot.Name).ToValueList(),
            Chain = machine.Provenance.Chain,
            Disks = askGuest ? await DisksAsync(node, machine, cancellationToken) : [],
        };
    }

    private static async Task<ValueList<DiskView>> DisksAsync(GantryNode node, MachineRecord machine, CancellationToken cancellationToken)
    {
        var disks = new List<DiskView>();
        foreach (var disk in machine.Spec.Disks)
        {
            var chain = await node.Volumes.ChainAsync(disk.Volume, cancellationToken);
            disks.Add(new DiskView
            {
                SizeBytes = chain[0].VirtualSize,
                Files = chain.Length,
                OwnBytes = Storage.Volumes.FileSpace.AllocatedBytes(chain[0].Path),
            });
        }

        return [.. disks];
    }
}

/// <summary>A machine as commands show it.</summary>
internal sealed record MachineView
{
    public required MachineNumber Number { get; init; }

    public required string Name { get; init; }

    public required string State { get; init; }

    public required string Isa { get; init; }

    /// <summary>kvm or tcg; null while it does not run.</summary>
    public string? Accelerator { get; init; }

    public string? AcceleratorReason { get; init; }

    /// <summary>Null while it does not run.</summary>
    public DateTimeOffset? Started { get; init; }

    public string? MachineType { get; init; }

    public required int Cpus { get; init; }

    public required int MemoryMiB { get; init; }

    public required Guid Uuid { get; init; }

    public required string Role { get; init; }

    public string? Template { get; init; }

    public required ValueList<string> Ports { get; init; }

    public required bool Protected { get; init; }

    public required string Notes { get; init; }

    public required ValueList<string> Snapshots { get; init; }

    public required ValueList<Model.Images.ProvenanceLink> Chain { get; init; }

    public required ValueList<DiskView> Disks { get; init; }
}

internal sealed record DiskView
{
    /// <summary>What the guest sees.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>How many files the disk consists of, its own first.</summary>
    public required int Files { get; init; }

    /// <summary>What its own file takes.</summary>
    public required long OwnBytes { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<MachineView>))]
[JsonSerializable(typeof(MachineView))]
internal sealed partial class MachineViewJson : JsonSerializerContext;
