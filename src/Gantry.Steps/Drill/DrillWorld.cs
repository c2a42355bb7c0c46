using Gantry.Steps.Jobs;

namespace Gantry.Steps.Drill;

/// <summary>
/// A fresh world for one scenario of a drill: where the steps work, and how it should look afterwards.
/// </summary>
/// <typeparam name="TContext">The job's context.</typeparam>
public sealed record DrillWorld<TContext>
    where TContext : notnull
{
    /// <summary>
    /// Makes the job's kind with its steps, over this world. Called once for each process of the scenario: what steps
    /// keep in memory must not be shared by two calls.
    /// </summary>
    public required Func<JobKind<TContext>> NewKind { get; init; }

    /// <summary>What the job begins with.</summary>
    public required TContext Context { get; init; }

    /// <summary>Throws unless all that the job should have made is there, once, and nothing else.</summary>
    public required Func<ValueTask> AssertDone { get; init; }

    /// <summary>Throws unless the world is as it was before the job.</summary>
    public required Func<ValueTask> AssertUndone { get; init; }

    /// <summary>Called at the end of the scenario.</summary>
    public Func<ValueTask> CleanUp { get; init; } = () => ValueTask.CompletedTask;
}

/// <summary>A scenario of a drill did not end as it should have.</summary>
public sealed class DrillFailedException : Exception
{
    internal DrillFailedException(string scenario, Exception inner)
        : base($"Drill, scenario '{scenario}': {inner.Message}", inner) => Scenario = scenario;

    /// <summary>Which one, such as <c>crash at during-do-1 of copy-disk, resume</c>.</summary>
    public string Scenario { get; }
}
