using System.Text.Json.Serialization;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Model.Images;

/// <summary>A machine frozen as a starting point. It is never changed: building a name again makes a new record.</summary>
public sealed record TemplateRecord
{
    /// <summary>16 hexadecimal digits, random; the name may move to another record, the id never does.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>SHA-256 over the template's disks and hardware, in hexadecimal digits.</summary>
    public required string Digest { get; init; }

    /// <summary>The hardware of machines made from it; its disks are the template's own frozen volumes.</summary>
    public required MachineSpec Spec { get; init; }

    public VolumeId? Variables { get; init; }

    /// <summary>The template beneath, whose volumes this one's are laid over; null for one that stands alone.</summary>
    public string? Parent { get; init; }

    public required Provenance Provenance { get; init; }

    /// <summary>Host identity was removed before it was frozen.</summary>
    public bool Sealed { get; init; }

    /// <summary>The user that its builder logged in as, for <c>gantry ssh</c>; null when unknown.</summary>
    public string? LoginUser { get; init; }

    /// <summary>A name used before belongs to a newer record; this one stays while something is laid over it.</summary>
    public bool Superseded { get; init; }
}

/// <summary>Where something came from: each link names what was used and its digest, the oldest first.</summary>
public sealed record Provenance
{
    public ValueList<ProvenanceLink> Chain { get; init; } = [];

    /// <summary>The name, at that time, of the template that it came from last; null when from none.</summary>
    [JsonIgnore]
    public string? Template => Chain.LastOrDefault(link => link.Kind == "template")?.Name;
}

public sealed record ProvenanceLink
{
    /// <summary>iso, image, kernel, step or template.</summary>
    public required string Kind { get; init; }

    public required string Name { get; init; }

    /// <summary>SHA-256 (of the content; of all that made it for a step), in hexadecimal digits.</summary>
    public required string Digest { get; init; }
}
