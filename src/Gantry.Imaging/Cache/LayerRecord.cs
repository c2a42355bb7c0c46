using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Imaging.Cache;

/// <summary>
/// A moment of a build that a later one can go on from: frozen disks, UEFI variables, TPM state, the machine's memory,
/// and what was random for the build that made it. The files other than the disks lie in the layer's own folder.
/// </summary>
public sealed record LayerRecord
{
    public required string Key { get; init; }

    public string? Parent { get; init; }

    /// <summary>For people: <c>installation</c>, or the provisioner's label.</summary>
    public required string Label { get; init; }

    /// <summary>The build that made it, for people.</summary>
    public required string Build { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required DateTimeOffset LastUsed { get; init; }

    /// <summary>When the oldest step beneath that uses the network ran; null when none does.</summary>
    public DateTimeOffset? NetworkSince { get; init; }

    /// <summary>
    /// The machine as it must be started again for its memory to fit. Its disks are the frozen volumes.
    /// </summary>
    public required MachineSpec Spec { get; init; }

    public required Guid Uuid { get; init; }

    public required string InstanceId { get; init; }

    public VolumeId? Variables { get; init; }

    public bool HasMemory { get; init; }

    public bool HasTpm { get; init; }

    /// <summary>Bytes of the layer's folder and of its own volumes.</summary>
    public long Bytes { get; init; }

    public required LayerSecrets Random { get; init; }

    public required Provenance Provenance { get; init; }

    /// <summary>What <c>timestamp()</c> said when the chain began, and says to all that goes on from here.</summary>
    public required DateTimeOffset Timestamp { get; init; }
}

/// <summary>What was random for the build that made a layer; whoever goes on from it uses the same.</summary>
public sealed record LayerSecrets
{
    public required string BuildId { get; init; }

    /// <summary>The HTTP server's port, when the guest was told it; 0 when it never was.</summary>
    public int HttpPort { get; init; }

    /// <summary>
    /// The public half of the build's key; the private half is the file <c>id</c> in the layer's folder.
    /// </summary>
    public string? SshPublicKey { get; init; }

    /// <summary>What <c>uuidv4()</c> draws from, along the whole chain; null in layers of before it was kept.</summary>
    public string? Seed { get; init; }
}
