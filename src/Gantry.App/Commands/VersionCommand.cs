using System.CommandLine;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using Gantry.App.Output;

namespace Gantry.App.Commands;

/// <summary><c>gantry version</c>: which program this is. It is also the pattern for commands that only read: build a
/// record, say how it looks as text, and leave the rest to <see cref="IOutput"/>.</summary>
internal static class VersionCommand
{
    public const string Summary = "Show which Gantry this is";

    public static Command Build(CommandContext context)
    {
        var command = new Command("version", Summary);
        var output = OutputOption.AddTo(command);
        command.SetAction(parse => context.Output.Write(
            new Rendered<VersionInfo>(VersionInfo.Current, () => VersionJson.Default.VersionInfo, Fields),
            output.Of(parse)));
        return command;
    }

    private static FieldList Fields(VersionInfo version) => new()
    {
        { "gantry", version.Version },
        { "runtime", version.Runtime },
        { "host", version.Host },
        { "compiled", version.Compiled },
    };
}

internal sealed record VersionInfo
{
    /// <inheritdoc cref="ThisProgram.Version"/>
    public required string Version { get; init; }

    public required string Runtime { get; init; }

    /// <summary>.NET's identifier of operating system and processor: linux-x64.</summary>
    public required string Host { get; init; }

    /// <summary>native for NativeAOT, otherwise readytorun.</summary>
    public required string Compiled { get; init; }

    public static VersionInfo Current { get; } = new()
    {
        Version = ThisProgram.Version,
        Runtime = RuntimeInformation.FrameworkDescription,
        Host = RuntimeInformation.RuntimeIdentifier,
        Compiled = RuntimeFeature.IsDynamicCodeSupported ? "readytorun" : "native",
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(VersionInfo))]
internal sealed partial class VersionJson : JsonSerializerContext;
