using System.Text.Json.Serialization;
using Gantry.Engines.Qemu;

namespace Gantry.Engines;

/// <summary>The stored form of what was found out about a host.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(KvmVerdict))]
[JsonSerializable(typeof(QemuBinary))]
internal sealed partial class EngineJson : JsonSerializerContext;
