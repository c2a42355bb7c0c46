using System.Text.Json.Serialization;
using Gantry.Model;
using Gantry.Model.Images;

namespace Gantry.App.Commands;

/// <summary>A template as commands show it.</summary>
internal sealed record TemplateView
{
    public required string Name { get; init; }

    public required string Id { get; init; }

    public required string Isa { get; init; }

    public string? MachineType { get; init; }

    /// <summary>default, bios or uefi.</summary>
    public required string Firmware { get; init; }

    public required int Cpus { get; init; }

    public required int MemoryMiB { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required string Digest { get; init; }

    /// <summary>What its own files take.</summary>
    public required long Bytes { get; init; }

    public required ValueList<TemplateDiskView> Disks { get; init; }

    public string? LoginUser { get; init; }

    /// <summary>The template beneath.</summary>
    public string? Parent { get; init; }

    public required bool Sealed { get; init; }

    /// <summary>Its name belongs to a newer one; it stays because it is used.</summary>
    public required bool Superseded { get; init; }

    /// <summary>Machines, templates and builds, at most twenty.</summary>
    public required ValueList<string> UsedBy { get; init; }

    public required ValueList<ProvenanceLink> Chain { get; init; }
}

internal sealed record TemplateDiskView
{
    /// <summary>Its own file.</summary>
    public required string Path { get; init; }

    public required long SizeBytes { get; init; }

    public required int Files { get; init; }

    public required long OwnBytes { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<TemplateView>))]
[JsonSerializable(typeof(TemplateView))]
internal sealed partial class TemplateViewJson : JsonSerializerContext;
