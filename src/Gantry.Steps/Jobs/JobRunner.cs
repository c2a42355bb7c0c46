using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Gantry.Steps.Journals;

namespace Gantry.Steps.Jobs;

/// <summary>Runs jobs: a list of steps, each recorded before it begins and after it ends.</summary>
public sealed class JobRunner
{
    private readonly IJournalHome _home;
    private readonly TimeProvider _time;

    /// <param name="home">Where the journals are.</param>
    /// <param name="time">The clock for job ids, the times in journals, and the limit of undoing.</param>
    public JobRunner(IJournalHome home, TimeProvider time)
    {
        _home = home;
        _time = time;
    }

    /// <summary>Runs a job to its end.</summary>
    /// <param name="kind">Its steps.</param>
    /// <param name="context">What it begins with: all that the first step needs, also to be undone.</param>
    /// <param name="progress">Told of every event; <see cref="NoProgress"/> for nobody.</param>
    /// <param name="cancellationToken">Cancels the job: what is done is undone, in reverse order.</param>
    /// <returns>The context that the last step returned.</returns>
    /// <exception cref="StepFailedException">A step failed; says what was undone and what could not be.</exception>
    /// <exception cref="JobCanceledException">Likewise, after a cancellation.</exception>
    /// <exception cref="JournalException">
    /// The journal cannot be written. If the job had begun, it was left as it is, and recovery puts it right.
    /// </exception>
    public async Task<TContext> RunAsync<TContext>(
        JobKind<TContext> kind, TContext context, IJobProgress progress, CancellationToken cancellationToken)
        where TContext : notnull
    {
        cancellationToken.ThrowIfCancellationRequested();
        var now = _time.GetUtcNow();
        var begun = new JournalRecord.Begun
        {
            At = now,
            Format = 1,
            JobId = NewId(kind, now),
            Kind = kind.Name,
            Version = kind.Version,
            Steps = kind.StepNames,
            Context = JsonSerializer.SerializeToElement(context, kind.ContextType),
            Owner = JournalOwner.Current,
        };
        var desk = new JobDesk { Home = _home, Time = _time, Progress = progress };
        await using var journal = await _home.CreateAsync(begun, cancellationToken).ConfigureAwait(false);
        var execution = new JobExecution<TContext>(kind, desk, journal, JobState.Of(journal.Records));
        return await execution.ForwardAsync(cancellationToken).ConfigureAwait(false);
    }

    // Sorts by time; the random part keeps two jobs of one second apart.
    private static string NewId(JobKind kind, DateTimeOffset now) => string.Create(
        CultureInfo.InvariantCulture,
        $"{now.UtcDateTime:yyyyMMdd'T'HHmmss}-{kind.Name}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
}
