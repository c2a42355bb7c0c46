using System.Globalization;
using System.Text.Json.Serialization;
using Gantry.Model.State;

namespace Gantry.Model.Tasks;

/// <summary>
/// The two kinds of documents that a task is: asked for, and what became of it. Each is under its id.
/// </summary>
public static class TaskRecords
{
    private const string OrderPrefix = "tasks/";
    private const string StatePrefix = "task-states/";
    private const string KeyPrefix = "task-keys/";

    public static DocumentCollection<TaskOrder> Orders(IStateStore store) =>
        new(store, OrderPrefix, () => TaskJson.Default.TaskOrder, schema: 1);

    public static DocumentCollection<TaskState> States(IStateStore store) =>
        new(store, StatePrefix, () => TaskJson.Default.TaskState, schema: 1);

    /// <summary>Where the id of the order is that a key was used for, as ASCII.</summary>
    public static string KeyOf(string digest) => KeyPrefix + digest;

    /// <summary>Takes away all that is recorded of a task.</summary>
    public static IEnumerable<StateOperation> Forget(TaskOrder order)
    {
        yield return new StateOperation.Delete(OrderPrefix + order.Id);
        yield return new StateOperation.Delete(StatePrefix + order.Id);
        if (order.Key is { } key)
            yield return new StateOperation.Delete(KeyOf(key));
    }

    /// <summary>An id that no other task has: 12 hexadecimal digits of milliseconds, a hyphen, 8 random ones.</summary>
    public static string NewId(DateTimeOffset now, IEntropy entropy) =>
        string.Create(CultureInfo.InvariantCulture, $"{now.ToUnixTimeMilliseconds():x12}-{entropy.NewHex(4)}");

    /// <summary>Whether a text has the form of an id.</summary>
    public static bool IsId(string text) =>
        text is { Length: 21 } && text[12] == '-' && text.Remove(12, 1).All(char.IsAsciiHexDigitLower);
}

/// <summary>Their stored form.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(TaskOrder))]
[JsonSerializable(typeof(TaskState))]
public sealed partial class TaskJson : JsonSerializerContext;
