namespace Gantry.Steps.Jobs;

/// <summary>One durable step of a job: what it does and how that is undone. Its name is kept in journals.</summary>
/// <typeparam name="TContext">What the job knows; immutable, and small when written as JSON.</typeparam>
/// <remarks>
/// The process may be killed at any moment, so a step has to keep three promises.
/// It may be done again after it was begun, whether that was carried out wholly, partly or not at all.
/// It may be undone after it was begun, likewise, and undone again after that.
/// What undoing has to know (names, ids, paths) is in the context before the step begins: a step that makes something
/// with a random name comes after a step that puts the name into the context.
/// <see cref="StepDrill{TContext}"/> tests all three.
/// </remarks>
public interface IJobStep<TContext>
{
    /// <summary>Unique in its job: lower-case letters, digits and dashes, at most 64.</summary>
    string Name { get; }

    /// <summary>Does the step.</summary>
    /// <param name="context">As the steps before left it.</param>
    /// <param name="run">Says whether this is a repetition, and takes reports of progress.</param>
    /// <param name="cancellationToken">
    /// The job is cancelled: stop soon, leave the rest to <see cref="UndoAsync"/>.
    /// </param>
    /// <returns>The context for the steps after, recorded before they begin.</returns>
    ValueTask<TContext> DoAsync(TContext context, StepRun run, CancellationToken cancellationToken);

    /// <summary>Makes things as they were before the step. No error if there is nothing to undo.</summary>
    /// <param name="context">The newest that was recorded; if the step is in doubt, the one that it began with.</param>
    /// <param name="run">Says whether the step is known to have ended, and takes reports of progress.</param>
    /// <param name="cancellationToken">The time for undoing is over.</param>
    ValueTask UndoAsync(TContext context, StepRun run, CancellationToken cancellationToken);
}

/// <summary>Steps made of two functions, for those that need no class.</summary>
public static class JobStep
{
    /// <summary>A step that changes the context, or returns it as it is.</summary>
    public static IJobStep<TContext> Of<TContext>(
        string name,
        Func<TContext, StepRun, CancellationToken, ValueTask<TContext>> does,
        Func<TContext, StepRun, CancellationToken, ValueTask> undoes) => new Functions<TContext>(name, does, undoes);

    /// <summary>A step that only computes: it changes nothing but the context, so there is nothing to undo.</summary>
    public static IJobStep<TContext> Compute<TContext>(string name, Func<TContext, TContext> does) =>
        new Functions<TContext>(
            name, (context, _, _) => ValueTask.FromResult(does(context)), (_, _, _) => ValueTask.CompletedTask);

    private sealed class Functions<TContext>(
        string name,
        Func<TContext, StepRun, CancellationToken, ValueTask<TContext>> does,
        Func<TContext, StepRun, CancellationToken, ValueTask> undoes) : IJobStep<TContext>
    {
        public string Name => name;

        public ValueTask<TContext> DoAsync(TContext context, StepRun run, CancellationToken cancellationToken) =>
            does(context, run, cancellationToken);

        public ValueTask UndoAsync(TContext context, StepRun run, CancellationToken cancellationToken) =>
            undoes(context, run, cancellationToken);
    }
}
