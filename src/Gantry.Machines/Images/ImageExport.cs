using System.Text.Json.Serialization;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;
using Gantry.Storage.Images;

namespace Gantry.Machines.Images;

/// <summary>A template or a stopped machine that is to be written to a file.</summary>
public sealed record ExportRequest
{
    /// <summary>A template's name, or a machine's name or number.</summary>
    public required string Source { get; init; }

    /// <summary>The file, absolute.</summary>
    public required string Output { get; init; }

    /// <summary>null for an OVA.</summary>
    public required DiskImageFormat? Format { get; init; }

    /// <summary>Which disk, from 0; null for the only one. An OVA has all.</summary>
    public int? Disk { get; init; }

    /// <summary>A file of that name is replaced.</summary>
    public bool Replace { get; init; }

    /// <summary>Compress clusters; qcow2 only, an OVA's disks are packed anyway.</summary>
    public bool Compress { get; init; }
}

/// <summary>What was written.</summary>
public sealed record ExportResult
{
    public required string File { get; init; }

    public required long Bytes { get; init; }

    /// <summary>In words: qcow2, ova.</summary>
    public required string Format { get; init; }

    /// <summary>What the file does not say of the machine.</summary>
    public required ValueList<string> Remarks { get; init; }
}

/// <summary>What the job of an export knows; kept in its journal.</summary>
public sealed record ImageExportJob
{
    /// <summary>Random; the job's name as a user of volumes, and in its folder's.</summary>
    public required string Id { get; init; }

    public required MachineSpec Spec { get; init; }

    /// <summary>The disks to write, by their tops.</summary>
    public required ValueList<VolumeId> Tops { get; init; }

    public required string Output { get; init; }

    public DiskImageFormat? Format { get; init; }

    public bool Replace { get; init; }

    public bool Compress { get; init; }

    /// <summary>Beside the output, so that the finished file only needs another name.</summary>
    [JsonIgnore]
    public string Scratch => Path.Combine(Path.GetDirectoryName(Output)!, $".gantry-export-{Id}");

    /// <summary>The finished file, before it has its name.</summary>
    [JsonIgnore]
    public string Finished => Path.Combine(Scratch, "finished");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ImageExportJob))]
internal sealed partial class ImageExportJson : JsonSerializerContext;
