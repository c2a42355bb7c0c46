using Gantry.Model.Machines;

namespace Gantry.Model.Tasks;

/// <summary>A task as it was asked for, recorded before anything happens. Only the API writes it.</summary>
public sealed record TaskOrder
{
    /// <summary>Later orders have greater ids, in ordinal order.</summary>
    public required string Id { get; init; }

    /// <summary>The node that does it.</summary>
    public required string Node { get; init; }

    public required TaskWork Work { get; init; }

    /// <summary>Who asked.</summary>
    public required string By { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>
    /// The digest of the key under which it was asked for, so that asking again is no second order; null without one.
    /// </summary>
    public string? Key { get; init; }

    /// <summary>Somebody does not want it any more. It may be done nevertheless.</summary>
    public bool Cancelled { get; init; }
}

/// <summary>Where a task is on its way. An order without a state waits for its turn.</summary>
public enum TaskPhase
{
    Queued,
    Running,
    Done,

    /// <summary>What it had begun was taken back, as far as the problem does not say otherwise.</summary>
    Failed,

    /// <summary>As <see cref="Failed"/>, because somebody wanted it so.</summary>
    Cancelled,
}

/// <summary>What became of a task. Only the agent of its node writes it.</summary>
public sealed record TaskState
{
    public required string Id { get; init; }

    public required TaskPhase Phase { get; init; }

    /// <summary>Null for one that never began.</summary>
    public DateTimeOffset? Started { get; init; }

    public DateTimeOffset? Ended { get; init; }

    /// <summary>Why it failed.</summary>
    public Problem? Problem { get; init; }

    /// <summary>What it made.</summary>
    public TaskResult? Result { get; init; }

    public bool HasEnded => Phase is TaskPhase.Done or TaskPhase.Failed or TaskPhase.Cancelled;
}

/// <summary>What a task made; each member only where it did.</summary>
public sealed record TaskResult
{
    public static TaskResult Nothing { get; } = new();

    /// <summary>The new machine.</summary>
    public MachineNumber? Machine { get; init; }

    /// <summary>The names of new templates.</summary>
    public ValueList<string> Templates { get; init => field = value ?? []; } = [];

    /// <summary>Files on the node; absolute.</summary>
    public ValueList<string> Files { get; init => field = value ?? []; } = [];
}
