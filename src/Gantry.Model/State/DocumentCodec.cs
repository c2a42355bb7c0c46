using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Gantry.Model.State;

/// <summary>Reads one value of JSON.</summary>
/// <param name="reader">At the value's first token; afterwards at its last.</param>
public delegate T? JsonReading<out T>(ref Utf8JsonReader reader);

/// <summary>
/// The bytes of a document: <c>{"schema":1,"document":{...}}</c>, in this order, so that the version is known before
/// the rest is looked at.
/// </summary>
internal sealed class DocumentCodec<T>
    where T : notnull
{
    private readonly Lazy<JsonTypeInfo<T>> _type;
    private readonly int _schema;

    /// <param name="type">Asked for when a document is first read or written: it takes long to make.</param>
    /// <param name="schema">The version that is written, and the only one that is read.</param>
    public DocumentCodec(Func<JsonTypeInfo<T>> type, int schema)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(schema, 1);
        _type = new Lazy<JsonTypeInfo<T>>(() => Checked(type()));
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
            JsonSerializer.Serialize(writer, value, _type.Value);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="DocumentUnreadableException">Always this, whatever is wrong.</exception>
    public T Decode(string key, ReadOnlySpan<byte> bytes) => Decode(
        key, bytes, (ref reader) => JsonSerializer.Deserialize(ref reader, _type.Value));

    /// <summary>A part of a document, without making the whole type.</summary>
    /// <exception cref="DocumentUnreadableException">Always this, whatever is wrong.</exception>
    public TResult Decode<TResult>(string key, ReadOnlySpan<byte> bytes, JsonReading<TResult> read)
        where TResult : notnull
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

            var value = read(ref reader)
                ?? throw Unreadable(key, found, """ "document" is null""".Trim());
            if (!reader.Read() || reader.TokenType != JsonTokenType.EndObject || reader.Read())
                throw Unreadable(key, found, """something follows "document" """.Trim());
            return value;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw Unreadable(key, found, e.Message, e);
        }
    }

    private static JsonTypeInfo<T> Checked(JsonTypeInfo<T> type)
    {
        if (type.Options.UnmappedMemberHandling != JsonUnmappedMemberHandling.Disallow)
        {
            throw new ArgumentException(
                $"The JSON context of {typeof(T).Name} has to be declared with [JsonSourceGenerationOptions("
                + "UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]: a member that we do not know "
                + "would be lost with the next update.",
                nameof(type));
        }

        return type;
    }

    private DocumentUnreadableException Unreadable(string key, int? found, string reason, Exception? inner = null) =>
        new(key, _schema, found, reason, inner);
}
