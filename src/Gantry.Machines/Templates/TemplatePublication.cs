using System.Text.Json.Serialization;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Machines.Templates;

/// <summary>A stopped machine that is to become a template.</summary>
public sealed record TemplateRequest
{
    public required MachineNumber Machine { get; init; }

    public required string Name { get; init; }

    public required Provenance Provenance { get; init; }

    public bool Sealed { get; init; }

    public string? LoginUser { get; init; }

    /// <summary>Compress the copy: smaller, and slower to make and to read.</summary>
    public bool Compress { get; init; }

    /// <summary>The template beneath, whose disks the new ones are laid over; null makes them stand alone.</summary>
    public string? Parent { get; init; }
}

/// <summary>What the job of making a template knows; kept in its journal.</summary>
public sealed record TemplatePublication
{
    public required TemplateRequest Request { get; init; }

    public required string TemplateId { get; init; }

    /// <summary>The parent, as it is when it is still worth standing on.</summary>
    public string? Parent { get; init; }

    /// <summary>The new volumes, in the order of the machine's disks.</summary>
    public ValueList<VolumeRecord> Disks { get; init; } = [];

    public VolumeRecord? Variables { get; init; }

    public TemplateRecord? Record { get; init; }

    /// <summary>What had the name before, by id.</summary>
    public string? Previous { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(TemplatePublication))]
internal sealed partial class TemplateJson : JsonSerializerContext;
