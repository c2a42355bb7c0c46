using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Gantry.Model.State;

/// <summary>
/// The bytes of a document: <c>{"schema":1,"document":{...}}</c>, in this order, so that the version is known before
/// the rest is looked at.
/// </summary>
internal sealed class DocumentCodec<T>
{
    private readonly JsonTypeInfo<T> _type;
    private readonly int _schema;

    /// <exception cref="ArgumentException">The type's JSON context does not refuse unknown members.</exception>
    public DocumentCodec(JsonTypeInfo<T> type, int schema)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(schema, 1);
        if (type.Options.UnmappedMemberHandling != JsonUnmappedMemberHandling.Disallow)
        {
            throw new ArgumentException(
                $"The JSON context of {typeof(T).Name} has to be declared with [JsonSourceGenerationOptions("
                + "UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]: a member that we do not know "
                + "would be lost with the next update.",
                nameof(type));
        }

        _type = type;
        _schema = schema;
    }

    public byte[] Encode(T value)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("schema"u8, _schema);
            writer.WritePropertyName("document"u8);
            JsonSerializer.Serialize(writer, value, _type);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="DocumentUnreadableException">Always this, whatever is wrong.</exception>
    public T Decode(string key, ReadOnlySpan<byte> bytes)
    {
        int? found = null;
        try
        {
            var reader = new Utf8JsonReader(bytes);
            if (!(reader.Read() && reader.TokenType == JsonTokenType.StartObject
                && reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("schema"u8)
                && reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int schema)))
            {
                throw Unreadable(key, found, """it does not begin with {"schema":NUMBER""");
            }

            found = schema;
            if (schema > _schema)
                throw Unreadable(key, found, "a newer version of this program wrote it; use that version");
            if (schema < _schema)
                throw Unreadable(key, found, "an older version of this program wrote it, and nothing here converts it");
            if (!(reader.Read() && reader.TokenType == JsonTokenType.PropertyName
                && reader.ValueTextEquals("document"u8) && reader.Read()))
            {
                throw Unreadable(key, found, """ "document" does not follow "schema" """.Trim());
            }

            var value = JsonSerializer.Deserialize(ref reader, _type)
                ?? throw Unreadable(key, found, """ "document" is null""".Trim());
            if (!reader.Read() || reader.TokenType != JsonTokenType.EndObject || reader.Read())
                throw Unreadable(key, found, """something follows "document" """.Trim());
            return value;
        }
        catch (JsonException e)
        {
            throw Unreadable(key, found, e.Message, e);
        }
    }

    private DocumentUnreadableException Unreadable(string key, int? found, string reason, Exception? inner = null) =>
        new(key, _schema, found, reason, inner);
}
