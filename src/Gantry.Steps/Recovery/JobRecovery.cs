using System.Collections.Immutable;
using Gantry.Steps.Jobs;
using Gantry.Steps.Journals;

namespace Gantry.Steps.Recovery;

/// <summary>What recovery did with a job.</summary>
public enum RecoveryOutcome
{
    /// <summary>Its owner lives: nothing was done.</summary>
    Live,

    /// <summary>It was resumed and is finished.</summary>
    Resumed,

    /// <summary>It is undone.</summary>
    Undone,

    /// <summary>It was over already, but for its journal.</summary>
    Closed,

    /// <summary>It could not be resumed and was undone instead.</summary>
    FailedAndUndone,

    /// <summary>Something of it is left; it is tried again at the next recovery.</summary>
    Left,

    /// <summary>Nobody here knows this kind of job, or its steps are others now; it was left as it is.</summary>
    Unknown,

    /// <summary>Its journal cannot be read; it was left as it is.</summary>
    Unreadable,
}

/// <summary>One job that recovery found.</summary>
public sealed record RecoveredJob
{
    /// <summary>The job's id.</summary>
    public required string JobId { get; init; }

    /// <summary>The name of its kind; null if its journal was not read.</summary>
    public string? Kind { get; init; }

    /// <summary>What was done.</summary>
    public required RecoveryOutcome Outcome { get; init; }

    /// <summary>More, for people; null where the outcome says all.</summary>
    public string? Detail { get; init; }
}

/// <summary>
/// Puts right what jobs whose processes died have left. Runs before a program begins jobs of its own.
/// </summary>
public sealed class JobRecovery
{
    private readonly IJournalHome _home;
    private readonly JobKindRegistry _kinds;
    private readonly TimeProvider _time;

    /// <param name="home">Where the journals are.</param>
    /// <param name="kinds">All kinds of job that this program runs or once ran.</param>
    /// <param name="time">The clock for the times in journals and the limit of undoing.</param>
    public JobRecovery(IJournalHome home, JobKindRegistry kinds, TimeProvider time)
    {
        _home = home;
        _kinds = kinds;
        _time = time;
    }

    /// <summary>
    /// Looks at every job that is not over, the oldest first: leaves live ones alone, resumes or undoes orphans by the
    /// policy of their kind, and goes on undoing what resisted before. Several processes may do so at once.
    /// </summary>
    /// <param name="progress">Told of every event.</param>
    /// <param name="cancellationToken">Lets go of the jobs where they are.</param>
    /// <returns>One entry a job; empty most of the time, and then at the cost of listing a folder.</returns>
    /// <exception cref="JournalException">The home cannot be read.</exception>
    public async Task<ImmutableArray<RecoveredJob>> RecoverAsync(
        IJobProgress progress, CancellationToken cancellationToken)
    {
        var desk = new JobDesk { Home = _home, Time = _time, Progress = progress };
        var jobs = ImmutableArray.CreateBuilder<RecoveredJob>();
        foreach (string id in await _home.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (await RecoverAsync(desk, id, cancellationToken).ConfigureAwait(false) is { } job)
                jobs.Add(job);
        }

        return jobs.ToImmutable();
    }

    private async Task<RecoveredJob?> RecoverAsync(JobDesk desk, string id, CancellationToken stop)
    {
        JournalAdoption adoption;
        try
        {
            adoption = await _home.AdoptAsync(id, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is JournalException or ArgumentException)
        {
            return new RecoveredJob { JobId = id, Outcome = RecoveryOutcome.Unreadable, Detail = e.Message };
        }

        if (adoption is JournalAdoption.Gone)
            return null;
        if (adoption is not JournalAdoption.Ours ours)
            return new RecoveredJob { JobId = id, Outcome = RecoveryOutcome.Live };

        await using var journal = ours.Journal;
        try
        {
            var state = JobState.Of(journal.Records);
            return Recognize(state, out var kind)
                ?? await ContinueAsync(desk, journal, state, kind!, stop).ConfigureAwait(false);
        }
        catch (JournalException e)
        {
            return new RecoveredJob { JobId = id, Outcome = RecoveryOutcome.Unreadable, Detail = e.Message };
        }
    }

    private RecoveredJob? Recognize(JobState state, out JobKind? kind)
    {
        var begun = state.Begun;
        kind = _kinds.Find(begun.Kind, begun.Version);
        string? trouble = null;
        if (kind is null)
        {
            trouble = $"This program knows no job kind '{begun.Kind}' version {begun.Version}; start the version of "
                + "the program that began the job.";
        }
        else if (!kind.StepNames.AsSpan().SequenceEqual(begun.Steps.AsSpan()))
        {
            trouble = $"The job kind '{begun.Kind}' version {begun.Version} has the steps "
                + $"{string.Join(", ", kind.StepNames)}; the journal has {string.Join(", ", begun.Steps)}.";
        }

        return trouble is null ? null : new RecoveredJob
        {
            JobId = begun.JobId,
            Kind = begun.Kind,
            Outcome = RecoveryOutcome.Unknown,
            Detail = trouble,
        };
    }

    private static async Task<RecoveredJob> ContinueAsync(
        JobDesk desk, IJournal journal, JobState state, JobKind kind, CancellationToken stop)
    {
        var job = new RecoveredJob { JobId = state.Begun.JobId, Kind = kind.Name, Outcome = RecoveryOutcome.Closed };
        bool over = state.Finished is not null || (state.AllDone && state.Turned is null);
        var now = desk.Time.GetUtcNow();
        try
        {
            if (journal.IsLarge)
                await journal.RewriteAsync(state.Shortest(now), stop).ConfigureAwait(false);
            if (!over)
            {
                await journal.AppendAsync(
                    new JournalRecord.Adopted { At = now, Owner = JournalOwner.Current }, stop).ConfigureAwait(false);
            }

            await kind.ContinueAsync(desk, journal, state, stop).ConfigureAwait(false);
            if (over)
                return job;
            return job with
            {
                Outcome = state.Turned is null ? RecoveryOutcome.Resumed : RecoveryOutcome.Undone,
                Detail = state.Turned?.Reason,
            };
        }
        catch (StepFailedException e)
        {
            bool left = e.Damage.WillContinue || !e.Damage.NotUndone.IsEmpty;
            return job with
            {
                Outcome = left ? RecoveryOutcome.Left : RecoveryOutcome.FailedAndUndone,
                Detail = e.Message,
            };
        }
        catch (JobCanceledException e)
        {
            // The job had been cancelled by its user, and undoing failed again.
            return job with { Outcome = RecoveryOutcome.Left, Detail = e.Message };
        }
        catch (JournalException e)
        {
            return job with { Outcome = RecoveryOutcome.Left, Detail = e.Message };
        }
    }
}
