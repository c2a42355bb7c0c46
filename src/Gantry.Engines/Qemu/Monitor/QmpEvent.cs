using System.Text.Json;

namespace Gantry.Engines.Qemu.Monitor;

/// <summary>Something that QEMU reported by itself.</summary>
public sealed record QmpEvent
{
    /// <summary>The name in capitals, for example <c>SHUTDOWN</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The event's data; an empty object where QEMU sent none.</summary>
    public required JsonElement Data { get; init; }

    /// <summary>Counts this connection's events from 1, to tell what came before an answer.</summary>
    public required long Number { get; init; }

    /// <summary>QEMU's wall clock at the event; null where the host could not tell.</summary>
    public required DateTimeOffset? At { get; init; }
}

/// <summary>An answer, and where it stands among the events.</summary>
/// <param name="AfterEvent">
/// The <see cref="QmpEvent.Number"/> of the last event that QEMU sent before it; 0 where there was none. QEMU sends
/// both in order, so that the command was executed after that event.
/// </param>
public readonly record struct QmpAnswer(JsonElement Value, long AfterEvent);
