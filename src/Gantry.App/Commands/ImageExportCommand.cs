using System.CommandLine;
using Gantry.App.Output;
using Gantry.Machines.Images;
using Gantry.Model;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.App.Commands;

/// <summary>
/// <c>gantry image export</c>: a template's or a stopped machine's disk, or all of it as an OVA, as a file.
/// </summary>
internal static class ImageExportCommand
{
    private const string Formats = "qcow2, raw, vmdk, vdi, vhdx or ova";

    public static Command Build(CommandContext context)
    {
        var source = new Argument<string>("source")
        {
            HelpName = "TEMPLATE_OR_MACHINE",
            Description = "What to export",
        };
        source.CompletionSources.Add(_ => context.Names.Templates().Concat(context.Names.Machines()));
        var file = new Argument<string>("file") { HelpName = "FILE", Description = "The file to write" };
        var format = new Option<string>("--format")
        {
            HelpName = "FORMAT",
            Description = $"{Formats}; the file's ending otherwise",
        };
        var disk = new Option<int?>("--disk")
        {
            Description = "Which disk, from 0, where there are several; an OVA has all",
        };
        var compress = new Option<bool>("--compress") { Description = "Compress a qcow2: smaller, and slower" };
        var force = new Option<bool>("--force", "-f") { Description = "Replace a file that is there" };
        var command = new Command(
            "export", "Write a template's or a stopped machine's disk to a file, or all of it to an OVA")
        {
            source, file, format, disk, compress, force,
        };
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var path = Path.GetFullPath(parse.GetValue(file)!);
            var request = new ExportRequest
            {
                Source = parse.GetValue(source)!,
                Output = path,
                Format = Parse(parse.GetValue(format), path),
                Disk = parse.GetValue(disk),
                Replace = parse.GetValue(force),
                Compress = parse.GetValue(compress),
            };
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            ExportResult result;
            using (var view = context.StartProgress())
            {
                result = await node.Exporter.ExportAsync(request, view, cancellationToken);
                view.Complete();
            }

            if (output.Of(parse) != OutputFormat.Table)
            {
                context.Output.WriteData(result, ImageViewJson.Default.ExportResult, output.Of(parse));
                return ExitCodes.Ok;
            }

            context.Terminal.Out.Write(
                $"{result.File} is written ({result.Format}, {FileSpace.Words(result.Bytes)})\n");
            foreach (var remark in result.Remarks)
                context.Terminal.Out.Write($"  {remark}\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static DiskImageFormat? Parse(string? format, string path)
    {
        var word = (format ?? Path.GetExtension(path).TrimStart('.')).ToLowerInvariant();
        if (word == "ova")
            return null;
        return DiskImageFormats.TryParse(word, out var found) && found != DiskImageFormat.Vpc
            ? found
            : throw new ProblemException(
                ProblemKind.InvalidInput,
                format is null ? $"the name {Path.GetFileName(path)} does not say in which format to write"
                    : $"--format {format} is not known",
                $"give --format {Formats}");
    }
}
