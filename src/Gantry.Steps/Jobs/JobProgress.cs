namespace Gantry.Steps.Jobs;

/// <summary>How far a step is.</summary>
public sealed record StepReport
{
    /// <summary>What it is doing, for people.</summary>
    public string? Text { get; init; }

    /// <summary>How much is done, in <see cref="Unit"/>s.</summary>
    public long? Done { get; init; }

    /// <summary>How much there is to do, in <see cref="Unit"/>s; null if that is unknown.</summary>
    public long? Total { get; init; }

    /// <summary>What is counted, such as <c>bytes</c>.</summary>
    public string? Unit { get; init; }
}

/// <summary>What happens to a step.</summary>
public enum StepEvent
{
    /// <summary>It begins.</summary>
    Doing,

    /// <summary>It says how far it is, doing or undoing.</summary>
    Reported,

    /// <summary>It is done.</summary>
    Done,

    /// <summary>It failed, or was cancelled; the job turns round (or stops, beyond the point of no return).</summary>
    Failed,

    /// <summary>Undoing begins.</summary>
    Undoing,

    /// <summary>It is undone.</summary>
    Undone,

    /// <summary>Undoing failed; it is tried again at the next recovery.</summary>
    UndoFailed,
}

/// <summary>One event of one step.</summary>
public sealed record JobProgress
{
    /// <summary>The job's id.</summary>
    public required string JobId { get; init; }

    /// <summary>The name of the job's kind.</summary>
    public required string Kind { get; init; }

    /// <summary>The step's name.</summary>
    public required string Step { get; init; }

    /// <summary>The step's place in the job, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>How many steps the job has.</summary>
    public required int Count { get; init; }

    /// <summary>What happened.</summary>
    public required StepEvent Event { get; init; }

    /// <summary>With <see cref="StepEvent.Reported"/>: what the step said.</summary>
    public StepReport? Report { get; init; }

    /// <summary>With the two failures: what went wrong.</summary>
    public string? Error { get; init; }
}

/// <summary>Shows jobs to people. Called from whatever thread a step runs on, one call at a time for one job.</summary>
public interface IJobProgress
{
    /// <summary>Takes an event; quick, and must not throw.</summary>
    void Report(JobProgress progress);
}

/// <summary>Shows nothing.</summary>
public sealed class NoProgress : IJobProgress
{
    /// <summary>The only one.</summary>
    public static NoProgress Instance { get; } = new();

    /// <inheritdoc/>
    public void Report(JobProgress progress)
    {
    }
}
