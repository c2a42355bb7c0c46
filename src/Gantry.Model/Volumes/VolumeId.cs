using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gantry.Model.Volumes;

/// <summary>A volume's name in its pool: 16 lower-case hexadecimal digits, random.</summary>
[JsonConverter(typeof(VolumeIdConverter))]
public readonly record struct VolumeId(string Value)
{
    public override string ToString() => Value;

    public static VolumeId New(IEntropy entropy) => new(entropy.NewHex(8));
}

/// <summary>A volume id is a bare string in JSON.</summary>
public sealed class VolumeIdConverter : JsonConverter<VolumeId>
{
    public override VolumeId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(reader.GetString() ?? throw new JsonException("a volume's id can't be null"));

    public override void Write(Utf8JsonWriter writer, VolumeId value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Value);
}

public enum VolumeFormat
{
    Qcow2,
    Raw,
}

/// <summary>A disk in the store: one file, over at most one other volume.</summary>
public sealed record VolumeRecord
{
    public required VolumeId Id { get; init; }

    public required VolumeFormat Format { get; init; }

    /// <summary>What the guest sees, in bytes.</summary>
    public required long VirtualSize { get; init; }

    /// <summary>The volume beneath; null for one that stands alone.</summary>
    public VolumeId? Backing { get; init; }

    /// <summary>Nothing writes to it any more; clones may be laid over it.</summary>
    public bool Frozen { get; init; }

    /// <summary>What it is for, in words for a person: <c>disk 0 of machine 101</c>.</summary>
    public required string Purpose { get; init; }

    public required DateTimeOffset Created { get; init; }
}
