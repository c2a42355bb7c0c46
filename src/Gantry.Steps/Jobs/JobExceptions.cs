using System.Collections.Immutable;

namespace Gantry.Steps.Jobs;

/// <summary>What became of a job that did not finish.</summary>
public sealed record JobDamage
{
    /// <summary>The job's id.</summary>
    public required string JobId { get; init; }

    /// <summary>The name of the job's kind.</summary>
    public required string Kind { get; init; }

    /// <summary>The step at which it ended.</summary>
    public required string Step { get; init; }

    /// <summary>The steps that were undone, in the order in which that happened.</summary>
    public required ImmutableArray<string> Undone { get; init; }

    /// <summary>The steps that still are to be undone, the one that resisted first; recovery tries again.</summary>
    public required ImmutableArray<string> NotUndone { get; init; }

    /// <summary>Why undoing stopped; null if it did not.</summary>
    public string? UndoError { get; init; }

    /// <summary>The job is beyond its point of no return: recovery will go on with it.</summary>
    public bool WillContinue { get; init; }

    /// <inheritdoc/>
    public bool Equals(JobDamage? other) =>
        other is not null && JobId == other.JobId && Kind == other.Kind && Step == other.Step
        && UndoError == other.UndoError && WillContinue == other.WillContinue
        && Undone.AsSpan().SequenceEqual(other.Undone.AsSpan())
        && NotUndone.AsSpan().SequenceEqual(other.NotUndone.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(JobId, Step);

    internal string Sentence()
    {
        if (WillContinue)
            return "It cannot be undone any more, and goes on at the next start.";
        if (!NotUndone.IsEmpty)
        {
            return $"Undone: {List(Undone)}. Not undone: {List(NotUndone)}, because undoing '{NotUndone[0]}' failed: "
                + $"{UndoError} This is tried again at the next start.";
        }

        return Undone.IsEmpty ? "Nothing had to be undone." : $"Undone: {List(Undone)}.";
    }

    private static string List(ImmutableArray<string> names) => names.IsEmpty ? "nothing" : string.Join(", ", names);
}

/// <summary>A step failed. The inner exception is the step's.</summary>
public sealed class StepFailedException : Exception
{
    internal StepFailedException(JobDamage damage, string reason, Exception? inner)
        : base($"The job {damage.JobId} failed at its step '{damage.Step}': {reason} {damage.Sentence()}", inner) =>
        Damage = damage;

    /// <summary>Which job and step, what was undone, what could not be.</summary>
    public JobDamage Damage { get; }
}

/// <summary>A job was cancelled.</summary>
public sealed class JobCanceledException : OperationCanceledException
{
    internal JobCanceledException(JobDamage damage, Exception? inner, CancellationToken token)
        : base(
            $"The job {damage.JobId} was cancelled at its step '{damage.Step}'. {damage.Sentence()}", inner, token) =>
        Damage = damage;

    /// <summary>Which job and step, what was undone, what could not be.</summary>
    public JobDamage Damage { get; }
}
