using System.Text.Json.Serialization;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Model;

/// <summary>The stored form of the model: camel case, enums as words, unknown members refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MachineSpec))]
[JsonSerializable(typeof(MachineRecord))]
[JsonSerializable(typeof(TemplateRecord))]
[JsonSerializable(typeof(VolumeRecord))]
[JsonSerializable(typeof(ImageRecord))]
public sealed partial class ModelJson : JsonSerializerContext;
