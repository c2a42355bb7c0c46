using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Control.Api.Machines;
using Gantry.Control.Api.Tasks;
using Gantry.Control.Intents;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Nodes;
using Gantry.Model.Running;
using Gantry.Model.Tasks;
using Microsoft.AspNetCore.Mvc;

namespace Gantry.Control.Api;

/// <summary>How the API writes and reads: camel case, enums as words, unknown members refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    Converters =
    [
        typeof(ApiEnum<Accelerator>), typeof(ApiEnum<MachinePhase>), typeof(ApiEnum<PowerState>),
        typeof(ApiEnum<ProblemKind>), typeof(ApiEnum<RestartPolicy>), typeof(ApiEnum<ShutdownOutcome>),
        typeof(ApiEnum<TaskPhase>), typeof(ApiEnum<ConsoleKind>),
    ])]
[JsonSerializable(typeof(MachineResource))]
[JsonSerializable(typeof(MachinePage))]
[JsonSerializable(typeof(ChangeEvent))]
[JsonSerializable(typeof(PowerBody))]
[JsonSerializable(typeof(PowerAnswer))]
[JsonSerializable(typeof(NodeResource))]
[JsonSerializable(typeof(GuestsShutdown))]
[JsonSerializable(typeof(SnapshotList))]
[JsonSerializable(typeof(TaskResource))]
[JsonSerializable(typeof(TaskPage))]
[JsonSerializable(typeof(List<TaskResource>))]
[JsonSerializable(typeof(TaskEvent))]
[JsonSerializable(typeof(CreateMachineBody))]
[JsonSerializable(typeof(NewMachineBody))]
[JsonSerializable(typeof(SnapshotBody))]
[JsonSerializable(typeof(RollBackBody))]
[JsonSerializable(typeof(BuildBody))]
[JsonSerializable(typeof(ConsoleBody))]
[JsonSerializable(typeof(ConsoleTicketResource))]
[JsonSerializable(typeof(KeysBody))]
[JsonSerializable(typeof(ProblemDetails))]
public sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>
    /// The same for options that others made: a context brings its types along, but not its own options.
    /// </summary>
    public static void Configure(JsonSerializerOptions options)
    {
        options.TypeInfoResolverChain.Insert(0, Default);
        options.PropertyNamingPolicy = Default.Options.PropertyNamingPolicy;
        options.UnmappedMemberHandling = Default.Options.UnmappedMemberHandling;
        // Numbers are numbers: the web's defaults take them as strings too.
        options.NumberHandling = JsonNumberHandling.Strict;
        foreach (var converter in Default.Options.Converters)
            options.Converters.Add(converter);
    }
}

/// <summary>An enum's members as the API writes them: <c>onFailure</c>; numbers are refused.</summary>
internal sealed class ApiEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
