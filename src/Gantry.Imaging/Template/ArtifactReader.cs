using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Schema;
using Gantry.Hcl.Values;
using Gantry.Imaging.Definitions;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Imaging.Template;

/// <summary>
/// Reads what a build is to make. Without an <c>artifact</c> block it makes what Packer makes, a disk file in the output
/// folder, and a template named as its source besides; with one, only what those blocks name.
/// </summary>
internal sealed class ArtifactReader(string root, DiagnosticBag diagnostics)
{
    private static readonly HclType Map = HclType.Map(HclType.String);

    public static BlockSchema Block { get; } = new()
    {
        Type = "artifact",
        LabelNames = ["kind"],
        Body = new BodySchema
        {
            Attributes =
            [
                new("name", HclType.String), new("format", HclType.String), new("compress", HclType.Bool),
                new("output_directory", HclType.String), new("output", HclType.String), new("kernel_arguments", HclType.String),
                new("files", Map), new("content", Map), new("menu_entry", HclType.String), new("volume_label", HclType.String),
            ],
        },
    };

    public OutputOptions Read(string source, Attributes given, ImmutableArray<DecodedBlock> artifacts)
    {
        var machine = given.TextOr("vm_name", $"packer-{source}");
        var format = given.Choice<string?>("format", "qcow2",
            ("qcow2", "qcow2"), ("raw", "raw"), ("vmdk", "vmdk"), ("vdi", "vdi"), ("vhdx", "vhdx"), ("vpc", "vpc"));
        var output = new OutputOptions
        {
            MachineName = machine,
            Compress = given.Flag("disk_compression"),
            SkipCompaction = given.Flag("skip_compaction"),
        };
        if (artifacts.IsEmpty)
        {
            // A template name of our own making asks for a template and not for a file, unless one is asked for as well.
            var wantsFile = !given.IsSet("template") || given.IsSet("output_directory");
            return output with
            {
                Template = TemplateName(given, given.Text("template") ?? source),
                Format = wantsFile ? format : null,
                Directory = wantsFile ? given.FilePath("output_directory") ?? given.Absolute($"output-{source}") : null,
            };
        }

        foreach (var block in artifacts)
            output = Add(output, source, block);
        return output;
    }

    private OutputOptions Add(OutputOptions output, string source, DecodedBlock block)
    {
        var given = new Attributes(block.Body, root, diagnostics);
        switch (block.Labels[0])
        {
            case "template":
                return output with { Template = TemplateName(given, given.TextOr("name", source)) };
            case "disk":
                return output with
                {
                    Directory = given.FilePath("output_directory") ?? given.Absolute($"output-{source}"),
                    MachineName = given.Text("name") ?? output.MachineName,
                    Compress = given.Flag("compress", output.Compress),
                    Format = given.Choice<string?>("format", "qcow2",
                        ("qcow2", "qcow2"), ("raw", "raw"), ("vmdk", "vmdk"), ("vdi", "vdi"), ("vhdx", "vhdx"), ("vpc", "vpc")),
                };
            case "iso":
                return output with { Iso = ReadIso(given, source) };
            default:
                diagnostics.Error(
                    block.Source.HeaderSpan, "Unknown artifact",
                    $"An artifact is \"template\", \"disk\" or \"iso\"; found \"{block.Labels[0]}\".");
                return output;
        }
    }

    private static IsoArtifact ReadIso(Attributes given, string source)
    {
        foreach (var (path, file) in given.Entries("files"))
        {
            if (!File.Exists(given.Absolute(file)))
                given.Error("files", $"There is no file {given.Absolute(file)} for {path}; texts of the template's own go into content.");
        }

        return new IsoArtifact
        {
            Output = given.FilePath("output") ?? given.Absolute($"output-{source}/{source}.iso"),
            KernelArguments = given.TextOr("kernel_arguments", ""),
            Files = given.Entries("files").Select(pair => new HostFile(pair.Key, given.Absolute(pair.Value))).ToValueList(),
            Content = given.Contents("content"),
            MenuEntry = given.Text("menu_entry"),
            VolumeLabel = given.Text("volume_label"),
        };
    }

    private static string? TemplateName(Attributes given, string name)
    {
        // Names of sources are freer than names of templates.
        var fitting = name.ToLowerInvariant().Replace('_', '-').Replace('.', '-');
        if (Names.IsValid(fitting))
            return fitting;
        given.Error("template", $"\"{name}\" can't be the name of a template: use letters, digits and hyphens.");
        return null;
    }
}
