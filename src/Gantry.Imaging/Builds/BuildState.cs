using System.Text.Json.Serialization;
using Gantry.Model;

namespace Gantry.Imaging.Builds;

/// <summary>
/// What the job of a build knows, kept in its journal: enough for another process to take away what it left, should
/// this one die.
/// </summary>
public sealed record BuildState
{
    /// <summary>8 hexadecimal digits.</summary>
    public required string BuildId { get; init; }

    /// <summary>The build's name, for people.</summary>
    public required string Build { get; init; }

    /// <summary>The name that its machine has or will have.</summary>
    public required string MachineName { get; init; }

    /// <summary>Media that are written beside these names until they are whole.</summary>
    public ValueList<string> Outputs { get; init; } = [];

    /// <summary>Folders in which output is made before it goes where it belongs; of this build alone.</summary>
    public ValueList<string> PartFolders { get; init; } = [];
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(BuildState))]
internal sealed partial class BuildJson : JsonSerializerContext;
