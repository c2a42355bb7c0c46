using System.CommandLine;
using System.Text.Json.Serialization;
using Gantry.App.Output;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary><c>gantry template list|delete</c>.</summary>
internal static class TemplateCommand
{
    public const string Summary = "List and delete templates";

    public static Command Build(CommandContext context) => new("template", Summary) { List(context), Delete(context) };

    private static Command List(CommandContext context)
    {
        var command = new Command("list", "List templates");
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var rows = new List<TemplateView>();
            foreach (var template in await node.Templates.ListAsync(cancellationToken))
            {
                long bytes = 0;
                foreach (var disk in template.Spec.Disks)
                    bytes += await node.Volumes.FindAsync(disk.Volume, cancellationToken) is { } volume ? node.Volumes.AllocatedBytes(volume) : 0;
                rows.Add(new TemplateView
                {
                    Name = template.Name,
                    Id = template.Id,
                    Isa = template.Spec.Isa.Name(),
                    Created = template.Created,
                    Digest = template.Digest,
                    Bytes = bytes,
                    Sealed = template.Sealed,
                    Superseded = template.Superseded,
                    Users = (await node.Templates.UsersAsync(template.Id, cancellationToken)).Length,
                    Chain = template.Provenance.Chain,
                });
            }

            context.Output.Write(new Rendered<List<TemplateView>>(rows, () => TemplateViewJson.Default.ListTemplateView, Table), output.Of(parse));
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

    private static TextTable Table(List<TemplateView> templates)
    {
        var table = new TextTable(
            new Column("name"), new Column("isa"), new Column("size", Right: true), new Column("users", Right: true), new Column("created"), new Column("digest"));
        foreach (var one in templates)
        {
            table.Add(
                one.Superseded ? $"{one.Name} (superseded)" : one.Name, one.Isa, $"{one.Bytes >> 20} MiB", $"{one.Users}",
                one.Created.LocalDateTime.ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture), one.Digest[..12]);
        }

        return table;
    }
}

internal sealed record TemplateView
{
    public required string Name { get; init; }

    public required string Id { get; init; }

    public required string Isa { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required string Digest { get; init; }

    public required long Bytes { get; init; }

    public required bool Sealed { get; init; }

    public required bool Superseded { get; init; }

    public required int Users { get; init; }

    public required ValueList<ProvenanceLink> Chain { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<TemplateView>))]
internal sealed partial class TemplateViewJson : JsonSerializerContext;
