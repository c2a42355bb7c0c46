using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Machines.Catalog;
using Gantry.Machines.Guest;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Storage;
using Gantry.Storage.Media;

namespace Gantry.Machines.Run;

/// <summary>
/// Writes the CD that tells a guest who it is (NoCloud, label <c>cidata</c>), with a file <c>gantry.json</c> that says
/// where the machine came from and how it is run.
/// </summary>
public sealed class MachineSeeds(DataFolders folders, TemplateCatalog templates)
{
    private const string FileName = "seed.iso";

    /// <summary>Writes the machine's seed anew; gives its path.</summary>
    public async Task<string> WriteAsync(
        MachineRecord machine, Accelerator accelerator, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folders.MachineFolder(machine.Number), FileName);
        var template = machine.Template is { } id
            ? await templates.FindByIdAsync(id, cancellationToken).ConfigureAwait(false)
            : null;
        var origin = new SeedOrigin
        {
            Machine = machine.Spec.Name,
            Node = Environment.MachineName,
            Isa = machine.Spec.Isa.Name(),
            Accelerator = accelerator == Accelerator.Kvm ? "kvm" : "tcg",
            Template = template?.Name ?? "",
            Chain = machine.Provenance.Chain,
        };
        var files = CloudInitSeed.Files(
            machine.Spec.CloudInit ?? new CloudInit(),
            machine.Spec.Name,
            machine.InstanceId,
            machine.Spec.NetworkCards.Select(card => card.Mac).ToList());
        var tree = new MediaTree();
        foreach (var (name, content) in files)
            tree.AddFile(name, MediaContent.FromText(content));
        tree.AddFile("gantry.json", MediaContent.FromBytes(JsonSerializer.SerializeToUtf8Bytes(origin, SeedJson.Default.SeedOrigin)));
        await IsoWriter.WriteFileAsync(
            tree, new IsoOptions { VolumeLabel = "cidata", Timestamp = machine.Created }, path, null, cancellationToken)
            .ConfigureAwait(false);
        return path;
    }
}

/// <summary>The file <c>gantry.json</c> on a seed.</summary>
internal sealed record SeedOrigin
{
    public required string Machine { get; init; }

    public required string Node { get; init; }

    public required string Isa { get; init; }

    public required string Accelerator { get; init; }

    public required string Template { get; init; }

    public required ValueList<ProvenanceLink> Chain { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(SeedOrigin))]
internal sealed partial class SeedJson : JsonSerializerContext;
