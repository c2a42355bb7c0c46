using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gantry.Steps.Journals;

/// <summary>One line of a journal.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(Begun), "begun")]
[JsonDerivedType(typeof(Adopted), "adopted")]
[JsonDerivedType(typeof(Doing), "doing")]
[JsonDerivedType(typeof(Done), "done")]
[JsonDerivedType(typeof(Failed), "failed")]
[JsonDerivedType(typeof(Turned), "turned")]
[JsonDerivedType(typeof(Undoing), "undoing")]
[JsonDerivedType(typeof(Undone), "undone")]
[JsonDerivedType(typeof(UndoFailed), "undo-failed")]
[JsonDerivedType(typeof(Finished), "finished")]
public abstract record JournalRecord
{
    private JournalRecord()
    {
    }

    /// <summary>When the line was written, by the writer's clock; for people.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The way back: such lines may use the room that is kept for them.</summary>
    [JsonIgnore]
    public virtual bool IsWayBack => false;

    /// <summary>The first line: which job this is.</summary>
    public sealed record Begun : JournalRecord
    {
        /// <summary>The shape of the lines; 1.</summary>
        public required int Format { get; init; }

        /// <summary>The job's id.</summary>
        public required string JobId { get; init; }

        /// <summary>The name of the job's kind.</summary>
        public required string Kind { get; init; }

        /// <summary>The version of the job's kind.</summary>
        public required int Version { get; init; }

        /// <summary>The names of its steps.</summary>
        public required ImmutableArray<string> Steps { get; init; }

        /// <summary>The context that it begins with.</summary>
        public required JsonElement Context { get; init; }

        /// <summary>Who runs it.</summary>
        public required JournalOwner Owner { get; init; }
    }

    /// <summary>Recovery took the job over.</summary>
    public sealed record Adopted : JournalRecord
    {
        /// <summary>Who runs it now.</summary>
        public required JournalOwner Owner { get; init; }

        /// <inheritdoc/>
        public override bool IsWayBack => true;
    }

    /// <summary>A step is about to begin.</summary>
    public sealed record Doing(int Step) : JournalRecord;

    /// <summary>A step has ended.</summary>
    public sealed record Done(int Step) : JournalRecord
    {
        /// <summary>The context that it returned; null if that is the one that it was given.</summary>
        public JsonElement? Context { get; init; }
    }

    /// <summary>A step failed where there is no way back.</summary>
    public sealed record Failed(int Step, string Error) : JournalRecord
    {
        /// <inheritdoc/>
        public override bool IsWayBack => true;
    }

    /// <summary>From here on the job only goes back.</summary>
    public sealed record Turned(int Step, string Reason, bool Cancelled) : JournalRecord
    {
        /// <inheritdoc/>
        public override bool IsWayBack => true;
    }

    /// <summary>A step is about to be undone.</summary>
    public sealed record Undoing(int Step) : JournalRecord
    {
        /// <inheritdoc/>
        public override bool IsWayBack => true;
    }

    /// <summary>A step is undone.</summary>
    public sealed record Undone(int Step) : JournalRecord
    {
        /// <inheritdoc/>
        public override bool IsWayBack => true;
    }

    /// <summary>Undoing a step failed; the way back stops here until the next recovery.</summary>
    public sealed record UndoFailed(int Step, string Error) : JournalRecord
    {
        /// <inheritdoc/>
        public override bool IsWayBack => true;
    }

    /// <summary>The last line.</summary>
    public sealed record Finished(bool Succeeded) : JournalRecord
    {
        /// <inheritdoc/>
        public override bool IsWayBack => true;
    }
}

/// <summary>Who runs a job. For people: a lock says whether the owner lives, never its process id.</summary>
public sealed record JournalOwner
{
    /// <summary>The process id, meaningful during that boot only.</summary>
    public required int ProcessId { get; init; }

    /// <summary>The kernel's id of the boot; empty where it has none.</summary>
    public required string BootId { get; init; }

    /// <summary>This process.</summary>
    public static JournalOwner Current { get; } = new()
    {
        ProcessId = Environment.ProcessId,
        BootId = File.Exists(BootIdPath) ? File.ReadAllText(BootIdPath).Trim() : "",
    };

    private const string BootIdPath = "/proc/sys/kernel/random/boot_id";
}

/// <summary>How lines are written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JournalRecord))]
internal sealed partial class JournalJson : JsonSerializerContext;
