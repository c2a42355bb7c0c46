using System.Text.Json;

namespace Gantry.Engines.Qemu.Monitor;

/// <summary>Something that QEMU reported by itself.</summary>
public sealed record QmpEvent
{
    /// <summary>The name in capitals, for example <c>SHUTDOWN</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The event's data; an empty object where QEMU sent none.</summary>
    public required JsonElement Data { get; init; }

    /// <summary>QEMU's wall clock at the event; null where the host could not tell.</summary>
    public required DateTimeOffset? At { get; init; }
}
