namespace Gantry.Model.Tasks;

/// <summary>
/// What a node knows of its tasks beyond their records: how far they are, and what they said. Nothing of it passes
/// through the store.
/// </summary>
public interface INodeTasks
{
    /// <summary>How far a task is; null for one that does not run here.</summary>
    TaskProgress? Progress(string id);

    /// <summary>
    /// What a task said and says, line by line, with its progress in between; ends when the task has. A reader that is
    /// slow delays nobody, and misses only progress.
    /// </summary>
    /// <param name="id">Of a task of this node.</param>
    /// <param name="offset">Bytes of its log to leave out, as <see cref="TaskNews.Offset"/> gave them.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    IAsyncEnumerable<TaskNews> FollowAsync(string id, long offset, CancellationToken cancellationToken);
}

/// <summary>How far a task is.</summary>
public sealed record TaskProgress
{
    /// <summary>What it is doing, for people.</summary>
    public required string Activity { get; init; }

    /// <summary>In <see cref="Unit"/>s; null where nothing is counted.</summary>
    public long? Done { get; init; }

    /// <summary>In <see cref="Unit"/>s; null where it is not known.</summary>
    public long? Total { get; init; }

    /// <summary>bytes, percent, or a plural noun for things that are counted.</summary>
    public string? Unit { get; init; }

    /// <summary>The guest's newest line of output.</summary>
    public string? GuestLine { get; init; }
}

/// <summary>One line of a task's log, or its progress.</summary>
public sealed record TaskNews
{
    /// <summary>Where in the log the next line begins, in bytes.</summary>
    public required long Offset { get; init; }

    /// <summary>Null in news of progress.</summary>
    public string? Line { get; init; }

    /// <summary>Null in a line.</summary>
    public TaskProgress? Progress { get; init; }
}
