using System.Text.Json.Serialization;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;
using Gantry.Storage.Appliances;
using Gantry.Storage.Images;

namespace Gantry.Machines.Images;

/// <summary>
/// A disk image or an OVF package that is to become a template or a machine; what is null is left to the file.
/// </summary>
public sealed record ImportRequest
{
    /// <summary>The file, absolute; nothing is written to it.</summary>
    public required string Path { get; init; }

    /// <summary>What it is called for people, and where a name comes from: the file's own name.</summary>
    public required string SourceName { get; init; }

    /// <summary>
    /// SHA-256 of the file, in hexadecimal digits, known to be right; null has it computed. With it the file must be
    /// all that there is: what lies beside it was not checked, and beside a download lie other downloads.
    /// </summary>
    public string? Digest { get; init; }

    /// <summary>Of the template or machine.</summary>
    public string? Name { get; init; }

    /// <summary>Make a stopped machine instead of a template.</summary>
    public bool AsMachine { get; init; }

    /// <summary>A template of that name gives its name to the new one.</summary>
    public bool Replace { get; init; }

    /// <summary>What the file is said to be; null goes by its name. Not for packages.</summary>
    public DiskImageFormat? Format { get; init; }

    public Isa? Isa { get; init; }

    public FirmwareKind? Firmware { get; init; }

    public int? Cpus { get; init; }

    public int? MemoryMiB { get; init; }

    public DiskBus? Bus { get; init; }

    /// <summary>The user that <c>gantry ssh</c> logs in as.</summary>
    public string? LoginUser { get; init; }
}

/// <summary>What was imported.</summary>
public sealed record ImportResult
{
    /// <summary>The new template; null where it is a machine.</summary>
    public TemplateRecord? Template { get; init; }

    public MachineRecord? Machine { get; init; }

    /// <summary>What of the package the result does not have, or has in another form.</summary>
    public required ValueList<ApplianceRemark> Remarks { get; init; }
}

/// <summary>One disk on its way in.</summary>
public sealed record ImportedDisk
{
    /// <summary>For people, and for errors.</summary>
    public required string Name { get; init; }

    /// <summary>null for an empty disk.</summary>
    public DiskImageSource? Source { get; init; }

    /// <summary>How the machine has it.</summary>
    public required DiskBus Bus { get; init; }

    /// <summary>Where its content goes, frozen.</summary>
    public required VolumeRecord Volume { get; init; }

    /// <summary>What a package's manifest says of the file; null where nothing is said.</summary>
    public FileDigest? Expected { get; init; }

    /// <summary>SHA-256 of the image's files; null until they were read.</summary>
    public string? Digest { get; init; }
}

/// <summary>What the job of an import knows; kept in its journal.</summary>
public sealed record ImageImportJob
{
    public required string SourceName { get; init; }

    /// <summary>The hardware, with the name of the template or machine and without disks.</summary>
    public required MachineSpec Spec { get; init; }

    public required ValueList<ImportedDisk> Disks { get; init; }

    public required string TemplateId { get; init; }

    /// <summary>Of the machine; null makes a template.</summary>
    public Guid? MachineUuid { get; init; }

    /// <summary>The template that has the name before, by id.</summary>
    public string? Previous { get; init; }

    public string? Digest { get; init; }

    public string? LoginUser { get; init; }

    /// <summary>The template as it is published; null until its disks are read, and for a machine.</summary>
    public TemplateRecord? Record { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ImageImportJob))]
internal sealed partial class ImageImportJson : JsonSerializerContext;
