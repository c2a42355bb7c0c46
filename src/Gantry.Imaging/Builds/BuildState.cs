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

    /// <summary>Keys of layers that may be half written.</summary>
    public ValueList<string> LayerKeys { get; init; } = [];

    /// <summary>Output that is written under these names with <c>.part</c> behind them until it is whole.</summary>
    public ValueList<string> Outputs { get; init; } = [];

    /// <summary>Output folders that the build itself made; removed when they are empty at the end of a failure.</summary>
    public ValueList<string> OutputFolders { get; init; } = [];

    /// <summary>Users of templates and volumes to be released.</summary>
    public string? TemplateId { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(BuildState))]
internal sealed partial class BuildJson : JsonSerializerContext;
