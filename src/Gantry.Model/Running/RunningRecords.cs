using System.Globalization;
using System.Text.Json.Serialization;
using Gantry.Model.Machines;
using Gantry.Model.State;

namespace Gantry.Model.Running;

/// <summary>The kinds of documents that say how machines run: wanted, decided, seen.</summary>
public static class RunningRecords
{
    private const string IntentPrefix = "intents/";
    private const string AssignmentPrefix = "assignments/";
    private const string StatusPrefix = "statuses/";

    private static readonly string[] Prefixes = [IntentPrefix, AssignmentPrefix, StatusPrefix];

    public static DocumentCollection<PowerIntent> Intents(IStateStore store) =>
        new(store, IntentPrefix, () => RunningJson.Default.PowerIntent, schema: 1);

    public static DocumentCollection<MachineAssignment> Assignments(IStateStore store) =>
        new(store, AssignmentPrefix, () => RunningJson.Default.MachineAssignment, schema: 1);

    public static DocumentCollection<MachineStatus> Statuses(IStateStore store) =>
        new(store, StatusPrefix, () => RunningJson.Default.MachineStatus, schema: 1);

    /// <summary>By the nodes' names.</summary>
    public static DocumentCollection<NodeStatus> Nodes(IStateStore store) =>
        new(store, "nodes/", () => RunningJson.Default.NodeStatus, schema: 1);

    /// <summary>By the nodes' names.</summary>
    public static DocumentCollection<NodeStartup> Startups(IStateStore store) =>
        new(store, "startups/", () => RunningJson.Default.NodeStartup, schema: 1);

    public static DocumentCollection<MachineRecord> Machines(IStateStore store) =>
        new(store, "machines/", () => ModelJson.Default.MachineRecord, schema: 1);

    /// <summary>The id of a machine's document in each of them: zero-padded, so that the store's byte order is the
    /// numbers' order.</summary>
    public static string Id(MachineNumber number) => number.Value.ToString("D9", CultureInfo.InvariantCulture);

    /// <summary>The number in a document's id.</summary>
    public static MachineNumber Number(string id) =>
        new(int.Parse(id, NumberStyles.None, CultureInfo.InvariantCulture));

    /// <summary>What a machine's deletion takes along.</summary>
    public static IEnumerable<StateOperation> Forget(MachineNumber number) =>
        Prefixes.Select(prefix => new StateOperation.Delete(prefix + Id(number)));
}

/// <summary>Their stored form.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PowerIntent))]
[JsonSerializable(typeof(MachineAssignment))]
[JsonSerializable(typeof(MachineStatus))]
[JsonSerializable(typeof(NodeStatus))]
[JsonSerializable(typeof(NodeStartup))]
public sealed partial class RunningJson : JsonSerializerContext;
