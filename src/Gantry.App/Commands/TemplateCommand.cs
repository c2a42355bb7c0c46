using System.CommandLine;
using System.Globalization;
using Gantry.App.Hosting;
using Gantry.App.Output;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Storage.Volumes;

namespace Gantry.App.Commands;

/// <summary><c>gantry template list|show|rename|delete</c>.</summary>
internal static class TemplateCommand
{
    public const string Summary = "List, show, rename and delete templates";

    public static Command Build(CommandContext context) =>
        new("template", Summary) { List(context), Show(context), Rename(context), Delete(context) };

    private static Command List(CommandContext context)
    {
        var command = new Command("list", "List templates");
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var rows = new List<TemplateView>();
            foreach (var template in await node.Templates.ListAsync(cancellationToken))
                rows.Add(await ViewAsync(node, template, cancellationToken));
            context.Output.Write(
                new Rendered<List<TemplateView>>(rows, () => TemplateViewJson.Default.ListTemplateView, Table),
                output.Of(parse));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Show(CommandContext context)
    {
        var name = CommonArguments.Template(context);
        var command = new Command("show", "Show all that is known of a template") { name };
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var template = await node.Templates.GetAsync(parse.GetValue(name)!, cancellationToken);
            var view = await ViewAsync(node, template, cancellationToken);
            context.Output.Write(
                new Rendered<TemplateView>(view, () => TemplateViewJson.Default.TemplateView, Fields), output.Of(parse));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Rename(CommandContext context)
    {
        var name = CommonArguments.Template(context);
        var newName = new Argument<string>("new-name") { HelpName = "NEW_NAME", Description = "Its name from now on" };
        var command = new Command("rename", "Give a template another name; its machines stay its machines") { name, newName };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            var template = await node.Templates.GetAsync(parse.GetValue(name)!, cancellationToken);
            var renamed = await node.Templates.RenameAsync(template, parse.GetValue(newName)!, cancellationToken);
            context.Terminal.Out.Write($"template {template.Name} is now {renamed.Name}\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Delete(CommandContext context)
    {
        var name = CommonArguments.Template(context);
        var command = new Command("delete", "Delete a template that nothing uses") { name };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            var template = await node.Templates.GetAsync(parse.GetValue(name)!, cancellationToken);
            await node.TemplateMaker.DeleteAsync(template, cancellationToken);
            context.Terminal.Out.Write($"template {template.Name} is deleted\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task<TemplateView> ViewAsync(
        GantryNode node, TemplateRecord template, CancellationToken cancellationToken)
    {
        var disks = new List<TemplateDiskView>();
        foreach (var disk in template.Spec.Disks)
        {
            if (await node.Volumes.FindAsync(disk.Volume, cancellationToken) is not { } volume)
                continue;
            disks.Add(new TemplateDiskView
            {
                Path = node.Volumes.PathOf(volume),
                SizeBytes = volume.VirtualSize,
                Files = (await node.Volumes.ChainAsync(disk.Volume, cancellationToken)).Length,
                OwnBytes = node.Volumes.AllocatedBytes(volume),
            });
        }

        var parent = template.Parent is { } id ? await node.Templates.FindByIdAsync(id, cancellationToken) : null;
        var users = new List<string>();
        foreach (var user in await node.Templates.UsersAsync(template.Id, cancellationToken))
            users.Add(await node.TemplateMaker.NameOfUserAsync(user, cancellationToken));
        return new TemplateView
        {
            Name = template.Name,
            Id = template.Id,
            Isa = template.Spec.Isa.Name(),
            MachineType = template.Spec.MachineType,
            Firmware = template.Spec.Firmware.Kind.ToString().ToLowerInvariant(),
            Cpus = template.Spec.Cpu.Count,
            MemoryMiB = template.Spec.MemoryMiB,
            Created = template.Created,
            Digest = template.Digest,
            Bytes = disks.Sum(disk => disk.OwnBytes),
            Disks = [.. disks],
            LoginUser = template.LoginUser,
            Parent = parent?.Name,
            Sealed = template.Sealed,
            Superseded = template.Superseded,
            UsedBy = [.. users],
            Chain = template.Provenance.Chain,
        };
    }

    private static TextTable Table(List<TemplateView> templates)
    {
        var table = new TextTable(
            new Column("name"), new Column("isa"), new Column("size", Right: true),
            new Column("users", Right: true), new Column("created"), new Column("digest"));
        foreach (var one in templates)
        {
            table.Add(
                one.Superseded
                    ? $"{one.Name} (superseded)" : one.Name, one.Isa, $"{one.Bytes >> 20} MiB", $"{one.UsedBy.Count}",
                Time(one.Created), one.Digest[..12]);
        }

        return table;
    }

    private static FieldList Fields(TemplateView one)
    {
        var fields = new FieldList
        {
            { "name", one.Name },
            { "id", one.Id },
            { "isa", one.Isa },
            { "machine type", one.MachineType ?? "" },
            { "firmware", one.Firmware },
            { "cpus", $"{one.Cpus}" },
            { "memory", $"{one.MemoryMiB} MiB" },
            { "login", one.LoginUser ?? "" },
            { "created", Time(one.Created) },
            { "sealed", one.Sealed ? "yes" : "no: clones share its identity" },
            { "over", one.Parent ?? "" },
            { "used by", one.UsedBy.Count == 0 ? "nobody" : string.Join(", ", one.UsedBy) },
            { "digest", one.Digest },
        };
        for (var i = 0; i < one.Disks.Count; i++)
        {
            var disk = one.Disks[i];
            fields.Add(
                $"disk {i}",
                $"{FileSpace.Words(disk.SizeBytes)} in {disk.Files} layers, {FileSpace.Words(disk.OwnBytes)} of its own");
        }

        foreach (var link in one.Chain)
            fields.Add($"from {link.Kind}", $"{link.Name} {link.Digest[..12]}");
        return fields;
    }

    private static string Time(DateTimeOffset time) =>
        time.LocalDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
