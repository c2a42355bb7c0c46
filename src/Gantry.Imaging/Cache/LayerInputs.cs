using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.Cache;

/// <summary>
/// All that made a layer. Two layers with equal inputs are interchangeable, so everything that can change the guest
/// belongs here, and nothing that can't (ports, paths, names, random values of one build).
/// </summary>
public sealed record LayerInputs
{
    /// <summary>Raised when a layer's files, or the meaning of a member here, change.</summary>
    public const int CurrentFormat = 2;

    public int Format { get; init; } = CurrentFormat;

    /// <summary>
    /// The key of the layer beneath; null for the installation, which has <see cref="Machine"/> instead.
    /// </summary>
    public string? Parent { get; init; }

    public MachineInputs? Machine { get; init; }

    public StepInputs? Step { get; init; }

    /// <summary>64 lower-case hexadecimal digits: SHA-256 over this record's JSON.</summary>
    public string Key() => Convert.ToHexStringLower(
        SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this, LayerJson.Default.LayerInputs)));
}

/// <summary>What an installation starts from.</summary>
public sealed record MachineInputs
{
    /// <summary>iso, disk, template or kernel, and the SHA-256 of each file of it, in order.</summary>
    public required ValueList<NamedDigest> Base { get; init; }

    /// <summary>
    /// QEMU's whole command line with every path, port, socket and random value replaced by a word for it.
    /// </summary>
    public required ValueList<string> QemuArguments { get; init; }

    /// <summary>Of QEMU's program and the firmware's files.</summary>
    public required ValueList<NamedDigest> Programs { get; init; }

    public required string Accelerator { get; init; }

    /// <summary>The host CPU's features where the guest can see them; empty under TCG.</summary>
    public string CpuFeatures { get; init; } = "";

    public required ValueList<long> DiskSizes { get; init; }

    /// <summary>Answer files by path, however they are served.</summary>
    public required ValueList<FileDigest> Answers { get; init; }

    /// <summary>The boot command before its variables are filled in.</summary>
    public required ValueList<string> BootCommand { get; init; }

    public required string BootWait { get; init; }

    public required string User { get; init; }

    /// <summary>SHA-256 of the login's password or key; empty when the build makes its own key.</summary>
    public string Credential { get; init; } = "";

    /// <summary>Of what is typed, since a layout decides which keys those are.</summary>
    public string KeyboardLayout { get; init; } = "";

    /// <summary>Where the boot command names the machine; empty otherwise.</summary>
    public string MachineName { get; init; } = "";

    /// <summary>cloud-init's files with the build's random values replaced.</summary>
    public string Seed { get; init; } = "";
}

/// <summary>What a provisioner does.</summary>
public sealed record StepInputs
{
    public required string Type { get; init; }

    /// <summary>The build's name where the step is told it; empty otherwise.</summary>
    public string BuildName { get; init; } = "";

    /// <summary>
    /// The provisioner's own options as JSON: the build's variables as placeholders, and a number for each path on this
    /// host, whose content is in <see cref="Files"/>.
    /// </summary>
    public required string Options { get; init; }

    /// <summary>The content of every file that it reads on the host.</summary>
    public required ValueList<FileDigest> Files { get; init; }

    /// <summary>
    /// For a step whose effect is not known from its inputs (a command on the host, a download): the same word each
    /// time only if the step may be left out. Otherwise random, so that it and what follows run again.
    /// </summary>
    public string Nonce { get; init; } = "";
}

public sealed record NamedDigest(string Name, string Sha256);

/// <summary>
/// A file's path as the guest or the step sees it, its permission bits in octal, and its content's SHA-256.
/// </summary>
public sealed record FileDigest(string Path, string Mode, string Sha256);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(LayerInputs))]
[JsonSerializable(typeof(LayerRecord))]
[JsonSerializable(typeof(ProvisionerOptions))]
internal sealed partial class LayerJson : JsonSerializerContext;
