using System.Collections.Immutable;

namespace Gantry.Steps.Journals;

/// <summary>
/// The record of one job, held by one owner at a time. Disposing of it lets go of the job: unless it was closed, it is
/// then an orphan, which recovery will find.
/// </summary>
public interface IJournal : IAsyncDisposable
{
    /// <summary>What the journal held when it was opened.</summary>
    ImmutableArray<JournalRecord> Records { get; }

    /// <summary>It holds so much that it should be rewritten when it is next adopted.</summary>
    bool IsLarge { get; }

    /// <summary>Adds a line; it is durable when this returns.</summary>
    /// <exception cref="JournalException">It was not written, or it is unknown whether it was.</exception>
    ValueTask AppendAsync(JournalRecord record, CancellationToken cancellationToken);

    /// <summary>Replaces all lines at once.</summary>
    /// <exception cref="JournalException">It was not done.</exception>
    ValueTask RewriteAsync(ImmutableArray<JournalRecord> records, CancellationToken cancellationToken);

    /// <summary>The job is over: removes the journal, or moves it to those that are kept for people.</summary>
    /// <exception cref="JournalException">It is still there; recovery will find it finished, and close it.</exception>
    ValueTask CloseAsync(CancellationToken cancellationToken);
}

/// <summary>Where journals are.</summary>
public interface IJournalHome
{
    /// <summary>Makes a journal whose first line is durable when this returns.</summary>
    /// <exception cref="JournalException">It cannot be made.</exception>
    ValueTask<IJournal> CreateAsync(JournalRecord.Begun begun, CancellationToken cancellationToken);

    /// <summary>The ids of all jobs that are not over, in ascending order: live ones and orphans.</summary>
    ValueTask<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Takes an orphan over.</summary>
    /// <exception cref="JournalException">It is an orphan and cannot be read; nothing was changed.</exception>
    ValueTask<JournalAdoption> AdoptAsync(string jobId, CancellationToken cancellationToken);
}

/// <summary>What came of trying to take a job over.</summary>
public abstract record JournalAdoption
{
    private JournalAdoption()
    {
    }

    /// <summary>It is ours now.</summary>
    public sealed record Ours(IJournal Journal) : JournalAdoption;

    /// <summary>Its owner lives.</summary>
    public sealed record Live : JournalAdoption;

    /// <summary>It is over, or never did anything.</summary>
    public sealed record Gone : JournalAdoption;
}

/// <summary>A journal cannot be written or read.</summary>
public sealed class JournalException : Exception
{
    /// <param name="message">What was found and what to do.</param>
    /// <param name="inner">What the system said.</param>
    public JournalException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
