using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Run;

/// <summary>
/// What was decided when a machine was started, for those who come after: kept in its run folder beside the sockets,
/// and meaningless once its QEMU is gone.
/// </summary>
public sealed record RuntimeRecord
{
    private const string FileName = "runtime.json";

    public required DateTimeOffset Started { get; init; }

    public required Accelerator Accelerator { get; init; }

    /// <summary>Why that accelerator, in words for a person.</summary>
    public required string AcceleratorReason { get; init; }

    /// <summary>The published ports with the host ports that were chosen.</summary>
    public ValueList<PublishedPort> Ports { get; init; } = [];

    /// <summary>
    /// The hardware that it was started with; the record may have been changed since. Null where an older program
    /// started it.
    /// </summary>
    public MachineSpec? Spec { get; init; }

    /// <summary>The assignment that it was started for; 0 for none.</summary>
    public long Epoch { get; init; }

    /// <summary>QEMU's program.</summary>
    public required string Binary { get; init; }

    public static RuntimeRecord? Read(string runFolder)
    {
        try
        {
            using var file = File.OpenRead(Path.Combine(runFolder, FileName));
            return JsonSerializer.Deserialize(file, RuntimeJson.Default.RuntimeRecord);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }

    public void Write(string runFolder)
    {
        var path = Path.Combine(runFolder, FileName);
        File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(this, RuntimeJson.Default.RuntimeRecord));
        File.Move(path + ".new", path, overwrite: true);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(RuntimeRecord))]
internal sealed partial class RuntimeJson : JsonSerializerContext;
