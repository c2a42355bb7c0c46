using System.Text.Json.Serialization;
using Gantry.Machines.Images;
using Gantry.Model;
using Gantry.Storage.Appliances;

namespace Gantry.App.Commands;

/// <summary>Something that a machine or a build can start from, as commands show it.</summary>
internal sealed record ImageView
{
    public required string Name { get; init; }

    /// <summary><c>template</c>, or <c>disk</c>: an image that builds started from, kept for the next one.</summary>
    public required string Kind { get; init; }

    /// <summary>A template's id; a disk image's digest, of the file that it came from.</summary>
    public required string Id { get; init; }

    /// <summary>What the guest sees of all disks.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>What its own files take.</summary>
    public required long Bytes { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required ValueList<string> UsedBy { get; init; }
}

/// <summary>What an import made.</summary>
internal sealed record ImportView
{
    /// <summary><c>template</c> or <c>machine</c>.</summary>
    public required string Kind { get; init; }

    public required string Name { get; init; }

    /// <summary>A template's.</summary>
    public string? Id { get; init; }

    /// <summary>A template's.</summary>
    public string? Digest { get; init; }

    /// <summary>A machine's.</summary>
    public int? Number { get; init; }

    public required int Cpus { get; init; }

    public required int MemoryMiB { get; init; }

    public required int Disks { get; init; }

    /// <summary>What of an OVF package the result does not have, or has in another form.</summary>
    public required ValueList<ApplianceRemark> Remarks { get; init; }

    public static ImportView Of(ImportResult result)
    {
        var spec = result.Template?.Spec ?? result.Machine!.Spec;
        return new ImportView
        {
            Kind = result.Template is null ? "machine" : "template",
            Name = spec.Name,
            Id = result.Template?.Id,
            Digest = result.Template?.Digest,
            Number = result.Machine?.Number.Value,
            Cpus = spec.Cpu.Count,
            MemoryMiB = spec.MemoryMiB,
            Disks = spec.Disks.Count,
            Remarks = result.Remarks,
        };
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<ImageView>))]
[JsonSerializable(typeof(ImageView))]
[JsonSerializable(typeof(ImportView))]
[JsonSerializable(typeof(ExportResult))]
internal sealed partial class ImageViewJson : JsonSerializerContext;
