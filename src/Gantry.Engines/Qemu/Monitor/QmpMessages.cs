using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gantry.Engines.Qemu.Monitor;

/// <summary>The wire form: one JSON object a line (QEMU's docs/interop/qmp-spec).</summary>
internal static class QmpMessages
{
    private static readonly JsonElement Empty = JsonElement.Parse("{}");

    public static ReadOnlyMemory<byte> Command(string name, JsonObject? arguments, long id)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("execute"u8, name);
            if (arguments is { Count: > 0 })
            {
                writer.WritePropertyName("arguments"u8);
                arguments.WriteTo(writer);
            }
            writer.WriteNumber("id"u8, id);
            writer.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }

    /// <summary>Reads an event; null where the message is none.</summary>
    public static QmpEvent? Event(JsonElement message, long number)
    {
        if (!message.TryGetProperty("event"u8, out var name) || name.ValueKind != JsonValueKind.String)
            return null;
        return new QmpEvent
        {
            Name = name.GetString()!,
            Number = number,
            Data = message.TryGetProperty("data"u8, out var data) ? data : Empty,
            At = message.TryGetProperty("timestamp"u8, out var at) ? Timestamp(at) : null,
        };
    }

    /// <summary>QEMU sends -1 for both numbers where it cannot read its clock.</summary>
    private static DateTimeOffset? Timestamp(JsonElement at) =>
        at.TryGetProperty("seconds"u8, out var s) && s.TryGetInt64(out var seconds) && seconds is >= 0 and < 1L << 36
        && at.TryGetProperty("microseconds"u8, out var m) && m.TryGetInt64(out var micros) && micros is >= 0 and < 1000000
            ? DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(micros * 10)
            : null;

    /// <summary>An error answer as (class, description).</summary>
    public static (string Class, string Description) Error(JsonElement error) => (
        error.TryGetProperty("class"u8, out var c) ? c.ToString() : "GenericError",
        error.TryGetProperty("desc"u8, out var d) ? d.ToString() : error.ToString());
}
