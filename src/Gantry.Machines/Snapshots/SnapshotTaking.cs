using System.Text.Json.Serialization;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Machines.Snapshots;

/// <summary>A snapshot that a user asks for.</summary>
public sealed record SnapshotRequest
{
    public required string Name { get; init; }

    public string Notes { get; init; } = "";

    /// <summary>Keep the memory too, so that a rollback goes on where the machine was.</summary>
    public bool Memory { get; init; }
}

/// <summary>What the job of taking a snapshot knows; kept in its journal.</summary>
public sealed record SnapshotTaking : IMachineJob
{
    public required MachineNumber Machine { get; init; }

    /// <summary>What will be recorded; its volumes are the machine's tops as the job began.</summary>
    public required SnapshotRecord Snapshot { get; init; }

    /// <summary>The guest ran as the job began, and has to run when it is over.</summary>
    public required bool WasRunning { get; init; }
}

/// <summary>What the job of deleting a snapshot knows; kept in its journal.</summary>
public sealed record SnapshotDeletion : IMachineJob
{
    public required MachineNumber Machine { get; init; }

    /// <summary>As it was recorded.</summary>
    public required SnapshotRecord Snapshot { get; init; }

    /// <summary>The machine's present state came from it.</summary>
    public required bool WasCurrent { get; init; }

    /// <summary>Names of the snapshots that came after it.</summary>
    public ValueList<string> Children { get; init; } = [];
}

/// <summary>What the job of going back to a snapshot knows; kept in its journal.</summary>
public sealed record SnapshotRollback : IMachineJob
{
    public required MachineNumber Machine { get; init; }

    public required string Snapshot { get; init; }

    /// <summary>The machine's spec and state as the job began.</summary>
    public required MachineSpec Before { get; init; }

    public VolumeId? VariablesBefore { get; init; }

    public string? CurrentBefore { get; init; }

    /// <summary>The new, empty tops over the snapshot's volumes, in the same order.</summary>
    public required ValueList<VolumeRecord> Tops { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SnapshotTaking))]
[JsonSerializable(typeof(SnapshotDeletion))]
[JsonSerializable(typeof(SnapshotRollback))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
