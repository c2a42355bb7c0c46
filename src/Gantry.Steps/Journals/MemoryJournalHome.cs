using System.Collections.Immutable;

namespace Gantry.Steps.Journals;

/// <summary>
/// Journals that live and die with the object: for tests. They pass through the same lines as a file's.
/// </summary>
public sealed class MemoryJournalHome : IJournalHome
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Job> _jobs = new(StringComparer.Ordinal);
    private int _life;

    /// <summary>
    /// Called before a line is added; may throw <see cref="JournalException"/>, as a full disk would.
    /// </summary>
    public Action<JournalRecord>? BeforeAppend { get; set; }

    /// <summary>
    /// The owners of all journals are dead: whatever they still write fails, and their jobs are orphans.
    /// </summary>
    public void Crash()
    {
        lock (_lock)
        {
            _life++;
            foreach (var job in _jobs.Values)
                job.Owned = false;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IJournal> CreateAsync(JournalRecord.Begun begun, CancellationToken cancellationToken)
    {
        Open open;
        lock (_lock)
        {
            var job = new Job { Owned = true };
            if (!_jobs.TryAdd(begun.JobId, job))
                throw new JournalException($"There is a job '{begun.JobId}' already.");
            open = new Open(this, begun.JobId, job, _life, [begun]);
        }

        await open.AppendAsync(begun, cancellationToken).ConfigureAwait(false);
        return open;
    }

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return ValueTask.FromResult(_jobs.Keys.ToImmutableArray());
    }

    /// <inheritdoc/>
    public ValueTask<JournalAdoption> AdoptAsync(string jobId, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_jobs.TryGetValue(jobId, out var job))
                return ValueTask.FromResult<JournalAdoption>(new JournalAdoption.Gone());
            if (job.Owned)
                return ValueTask.FromResult<JournalAdoption>(new JournalAdoption.Live());
            var records = JournalLines.Read(job.Bytes.ToArray(), jobId, out int length);
            if (records.IsEmpty)
            {
                _jobs.Remove(jobId);
                return ValueTask.FromResult<JournalAdoption>(new JournalAdoption.Gone());
            }

            job.Owned = true;
            job.Bytes.SetLength(length);
            return ValueTask.FromResult<JournalAdoption>(
                new JournalAdoption.Ours(new Open(this, jobId, job, _life, records)));
        }
    }

    private sealed class Job
    {
        public bool Owned { get; set; }

        public MemoryStream Bytes { get; } = new();
    }

    private sealed class Open(
        MemoryJournalHome home, string jobId, Job job, int life, ImmutableArray<JournalRecord> records) : IJournal
    {
        public ImmutableArray<JournalRecord> Records { get; private set; } = records;

        public bool IsLarge => job.Bytes.Length > JournalLimits.LargeBytes;

        public ValueTask AppendAsync(JournalRecord record, CancellationToken cancellationToken)
        {
            lock (home._lock)
            {
                CheckLife();
                home.BeforeAppend?.Invoke(record);
                CheckLife();
                Write(record);
            }

            return ValueTask.CompletedTask;
        }

        public ValueTask RewriteAsync(ImmutableArray<JournalRecord> records, CancellationToken cancellationToken)
        {
            lock (home._lock)
            {
                CheckLife();
                job.Bytes.SetLength(0);
                foreach (var record in records)
                    Write(record);
                Records = records;
            }

            return ValueTask.CompletedTask;
        }

        public ValueTask CloseAsync(CancellationToken cancellationToken)
        {
            lock (home._lock)
            {
                CheckLife();
                home._jobs.Remove(jobId);
            }

            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            lock (home._lock)
            {
                if (home._life == life)
                    job.Owned = false;
            }

            return ValueTask.CompletedTask;
        }

        private void CheckLife()
        {
            if (home._life != life)
                throw new JournalException("The process that held this journal is dead.");
        }

        private void Write(JournalRecord record)
        {
            byte[] line = JournalLines.Write(record);
            JournalLimits.CheckForward(record, line.Length, job.Bytes.Length);
            job.Bytes.Position = job.Bytes.Length;
            job.Bytes.Write(line);
        }
    }
}
