using System.Globalization;
using System.Text.Json.Serialization;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary>A machine as commands show it.</summary>
internal sealed record MachineView
{
    public required MachineNumber Number { get; init; }

    public required string Name { get; init; }

    /// <summary>stopped, starting, running, paused or faulted.</summary>
    public required string State { get; init; }

    public required string Isa { get; init; }

    /// <summary>kvm or tcg; null while it does not run.</summary>
    public string? Accelerator { get; init; }

    public string? AcceleratorReason { get; init; }

    /// <summary>Null while it does not run.</summary>
    public DateTimeOffset? Started { get; init; }

    public string? MachineType { get; init; }

    public required int Cpus { get; init; }

    public required int MemoryMiB { get; init; }

    public required Guid Uuid { get; init; }

    public required string Role { get; init; }

    /// <summary>The process that runs it; only where one running machine is shown.</summary>
    public int? Pid { get; init; }

    public string? Template { get; init; }

    /// <summary>Those of the run where it runs, otherwise those that it is to have.</summary>
    public required ValueList<PortView> Ports { get; init; }

    public required bool Protected { get; init; }

    public required string Notes { get; init; }

    public required ValueList<string> Tags { get; init; }

    public required ValueList<SnapshotView> Snapshots { get; init; }

    public required ValueList<ProvenanceLink> Chain { get; init; }

    /// <summary>Only where one machine is shown.</summary>
    public required ValueList<DiskView> Disks { get; init; }
}

/// <summary>A machine as a table shows it.</summary>
internal sealed record MachineLine
{
    public required MachineOutline Outline { get; init; }

    /// <inheritdoc cref="MachineView.State"/>
    public required string State { get; init; }

    /// <inheritdoc cref="MachineView.Accelerator"/>
    public string? Accelerator { get; init; }

    /// <inheritdoc cref="MachineView.Ports"/>
    public required ValueList<PortView> Ports { get; init; }
}

/// <summary>A published port.</summary>
internal sealed record PortView
{
    public required string Address { get; init; }

    /// <summary>0 while the machine does not run and any free one is to be taken.</summary>
    public required int HostPort { get; init; }

    public required int GuestPort { get; init; }

    public required bool Udp { get; init; }

    public override string ToString()
    {
        var host = HostPort == 0 ? "any" : HostPort.ToString(CultureInfo.InvariantCulture);
        var address = Address.Contains(':', StringComparison.Ordinal) ? $"[{Address}]" : Address;
        return string.Create(CultureInfo.InvariantCulture, $"{address}:{host}→{GuestPort}{(Udp ? "/udp" : "")}");
    }
}

internal sealed record SnapshotView
{
    public required string Name { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required bool Memory { get; init; }

    /// <summary>The snapshot that the state came from; null for the first.</summary>
    public string? Parent { get; init; }

    /// <summary>The machine's present state came from it.</summary>
    public required bool Current { get; init; }

    public required string Notes { get; init; }
}

internal sealed record DiskView
{
    /// <summary>What the guest sees.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>The files that it consists of: the one that is written first, the one that stands alone last.</summary>
    public required ValueList<DiskLayerView> Layers { get; init; }
}

internal sealed record DiskLayerView
{
    public required string Volume { get; init; }

    public required string Path { get; init; }

    /// <summary>What the file takes on the host.</summary>
    public required long Bytes { get; init; }

    public required string Purpose { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<MachineView>))]
[JsonSerializable(typeof(MachineView))]
[JsonSerializable(typeof(List<SnapshotView>))]
internal sealed partial class MachineViewJson : JsonSerializerContext;
