using System.CommandLine;
using System.Globalization;
using Gantry.App.Hosting;
using Gantry.App.Output;
using Gantry.Model;
using Gantry.Storage.Volumes;

namespace Gantry.App.Commands;

/// <summary><c>gantry image list|show|delete</c>: what machines and builds can start from.</summary>
internal static class ImageListCommand
{
    private const int ShortestDigest = 8;

    public static Command List(CommandContext context)
    {
        var command = new Command("list", "List templates, and the disk images that builds started from");
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            context.Output.Write(
                new Rendered<List<ImageView>>(
                    await AllAsync(node, cancellationToken), () => ImageViewJson.Default.ListImageView, Table),
                output.Of(parse));
            return ExitCodes.Ok;
        });
        return command;
    }

    public static Command Show(CommandContext context)
    {
        var name = Image(context);
        var command =
            new Command("show", "Show an image: a template (gantry template show has more) or a disk image") { name };
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var view = await FindAsync(node, parse.GetValue(name)!, cancellationToken);
            context.Output.Write(
                new Rendered<ImageView>(view, () => ImageViewJson.Default.ImageView, Fields), output.Of(parse));
            return ExitCodes.Ok;
        });
        return command;
    }

    public static Command Delete(CommandContext context)
    {
        var name = Image(context);
        var command =
            new Command("delete", "Delete a template that nothing uses, or a disk image kept for builds") { name };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            var view = await FindAsync(node, parse.GetValue(name)!, cancellationToken);
            if (view.Kind == "template")
            {
                var template = await node.Templates.FindByIdAsync(view.Id, cancellationToken)
                    ?? throw new ProblemException(ProblemKind.NotFound, $"template {view.Name} is gone already");
                await node.TemplateMaker.DeleteAsync(template, cancellationToken);
            }
            else
            {
                var images = await node.Images.ListAsync(cancellationToken);
                if (images.FirstOrDefault(image => image.Digest == view.Id) is { } image)
                    await node.Images.DeleteAsync(image, cancellationToken);
            }

            context.Terminal.Out.Write($"{view.Kind} {view.Name} is deleted\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Argument<string> Image(CommandContext context)
    {
        var argument = new Argument<string>("image")
        {
            HelpName = "IMAGE",
            Description = "A template's name, or a disk image's name or the beginning of its digest",
        };
        argument.CompletionSources.Add(_ => context.Names.Templates());
        return argument;
    }

    private static async Task<List<ImageView>> AllAsync(GantryNode node, CancellationToken cancellationToken)
    {
        var views = new List<ImageView>();
        foreach (var template in await node.Templates.ListAsync(cancellationToken))
        {
            var users = new List<string>();
            foreach (var user in await node.Templates.UsersAsync(template.Id, cancellationToken))
                users.Add(await node.TemplateMaker.NameOfUserAsync(user, cancellationToken));
            var view = new ImageView
            {
                Name = template.Superseded ? $"{template.Name} (superseded)" : template.Name,
                Kind = "template",
                Id = template.Id,
                SizeBytes = 0,
                Bytes = 0,
                Created = template.Created,
                UsedBy = [.. users],
            };
            foreach (var disk in template.Spec.Disks)
            {
                if (await node.Volumes.FindAsync(disk.Volume, cancellationToken) is { } volume)
                {
                    view = view with
                    {
                        SizeBytes = view.SizeBytes + volume.VirtualSize,
                        Bytes = view.Bytes + node.Volumes.AllocatedBytes(volume),
                    };
                }
            }

            views.Add(view);
        }

        foreach (var image in await node.Images.ListAsync(cancellationToken))
        {
            if (await node.Volumes.FindAsync(image.Volume, cancellationToken) is not { } volume)
                continue;
            var users = await node.Volumes.UsersAsync(image.Volume, cancellationToken);
            views.Add(new ImageView
            {
                Name = image.Name,
                Kind = "disk",
                Id = image.Digest,
                SizeBytes = volume.VirtualSize,
                Bytes = node.Volumes.AllocatedBytes(volume),
                Created = image.Created,
                UsedBy = users.Where(user => !user.StartsWith("image-", StringComparison.Ordinal)).ToValueList(),
            });
        }

        return views;
    }

    private static async Task<ImageView> FindAsync(GantryNode node, string text, CancellationToken cancellationToken)
    {
        var all = await AllAsync(node, cancellationToken);
        var found = all.Where(view => view.Name == text
            || (view.Kind == "disk" && text.Length >= ShortestDigest
                && view.Id.StartsWith(text, StringComparison.Ordinal))).ToList();
        return found switch
        {
            [var only] => only,
            [] => throw new ProblemException(
                ProblemKind.NotFound, $"there is no image '{text}'",
                NearNames.Suggest(text, all.Select(view => view.Name)) ?? "gantry image list shows all images"),
            _ => throw new ProblemException(
                ProblemKind.Conflict, $"there are {found.Count} images '{text}'",
                "name a disk image by its digest: gantry image list -o json shows them"),
        };
    }

    private static TextTable Table(List<ImageView> images)
    {
        var table = new TextTable(
            new Column("name"), new Column("kind"), new Column("size", Right: true), new Column("on disk", Right: true),
            new Column("users", Right: true), new Column("created"), new Column("id"));
        foreach (var one in images)
        {
            table.Add(
                one.Name, one.Kind, FileSpace.Words(one.SizeBytes), FileSpace.Words(one.Bytes), $"{one.UsedBy.Count}",
                Time(one.Created), one.Id[..12]);
        }

        return table;
    }

    private static FieldList Fields(ImageView one) => new()
    {
        { "name", one.Name },
        { "kind", one.Kind },
        { "id", one.Id },
        { "size", FileSpace.Words(one.SizeBytes) },
        { "on disk", FileSpace.Words(one.Bytes) },
        { "created", Time(one.Created) },
        { "used by", one.UsedBy.Count == 0 ? "nobody" : string.Join(", ", one.UsedBy) },
    };

    private static string Time(DateTimeOffset time) =>
        time.LocalDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
