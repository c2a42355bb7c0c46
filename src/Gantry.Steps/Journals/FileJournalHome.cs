using System.Buffers;
using System.Collections.Immutable;

namespace Gantry.Steps.Journals;

/// <summary>
/// Journals in a folder: one folder a job, with its lines and a lock that its owner holds. The lines of the last
/// finished jobs are kept under <c>finished/</c>, for people.
/// </summary>
public sealed class FileJournalHome : IJournalHome
{
    private const string FinishedName = "finished";

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    private readonly string _folder;
    private readonly TimeProvider _time;

    /// <param name="folder">Made, with mode 0700, when the first job begins.</param>
    /// <param name="time">The clock of waits for other processes.</param>
    public FileJournalHome(string folder, TimeProvider time)
    {
        _folder = Path.GetFullPath(folder);
        _time = time;
    }

    /// <summary>How many finished journals are kept; 0 for none.</summary>
    public int KeepFinished { get; init; } = 32;

    /// <inheritdoc/>
    public async ValueTask<IJournal> CreateAsync(JournalRecord.Begun begun, CancellationToken cancellationToken)
    {
        CheckId(begun.JobId);
        MakeFolder(_folder);
        using var home = await LockHomeAsync(cancellationToken).ConfigureAwait(false);
        string folder = Path.Combine(_folder, begun.JobId);
        if (Directory.Exists(folder))
            throw new JournalException($"There is a job '{begun.JobId}' already.");
        MakeFolder(folder);
        FileLock? held = null;
        try
        {
            held = FileLock.TryTake(Path.Combine(folder, FileJournal.LockName))
                ?? throw new JournalException($"Somebody else has locked the new folder '{folder}'.");
            var journal = FileJournal.Create(this, folder, held, begun);
            Disk.SyncFolder(_folder);
            return journal;
        }
        catch
        {
            held?.Dispose();
            TryDeleteFolder(folder);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<string>> ListAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_folder))
            return ValueTask.FromResult(ImmutableArray<string>.Empty);
        try
        {
            return ValueTask.FromResult(
                Directory.EnumerateDirectories(_folder)
                    .Select(path => Path.GetFileName(path)!)
                    .Where(name => name != FinishedName)
                    .Order(StringComparer.Ordinal)
                    .ToImmutableArray());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"The folder of the journals '{_folder}' cannot be read: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<JournalAdoption> AdoptAsync(string jobId, CancellationToken cancellationToken)
    {
        CheckId(jobId);
        string folder = Path.Combine(_folder, jobId);
        if (!Directory.Exists(_folder))
            return new JournalAdoption.Gone();
        // Journals are made and removed under the home's lock: none is half-made while we look.
        using var home = await LockHomeAsync(cancellationToken).ConfigureAwait(false);
        if (!Directory.Exists(folder))
            return new JournalAdoption.Gone();
        var held = FileLock.TryTake(Path.Combine(folder, FileJournal.LockName));
        if (held is null)
            return new JournalAdoption.Live();
        try
        {
            if (FileJournal.Adopt(this, folder, held) is { } journal)
                return new JournalAdoption.Ours(journal);
        }
        catch
        {
            held.Dispose();
            throw;
        }

        // Its process died before the first line was written, so nothing was done.
        held.Dispose();
        TryDeleteFolder(folder);
        return new JournalAdoption.Gone();
    }

    internal async ValueTask RemoveAsync(string folder, CancellationToken cancellationToken)
    {
        using var home = await LockHomeAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (KeepFinished > 0)
                Keep(folder);
            DeleteFolder(folder);
            Disk.SyncFolder(_folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"The journal '{folder}' cannot be removed: {e.Message}", e);
        }
    }

    private void Keep(string folder)
    {
        string finished = Path.Combine(_folder, FinishedName);
        MakeFolder(finished);
        string lines = Path.Combine(folder, FileJournal.LinesName);
        if (File.Exists(lines))
            File.Move(lines, Path.Combine(finished, Path.GetFileName(folder) + ".jsonl"), overwrite: true);
        // Ids begin with the time, so that the first names are the oldest.
        string[] kept = Directory.GetFiles(finished, "*.jsonl");
        foreach (string old in kept.Order(StringComparer.Ordinal).SkipLast(KeepFinished))
            File.Delete(old);
    }

    private ValueTask<FileLock> LockHomeAsync(CancellationToken cancellationToken) =>
        FileLock.TakeAsync(Path.Combine(_folder, ".lock"), _time, cancellationToken);

    private static void MakeFolder(string path)
    {
        try
        {
            if (OperatingSystem.IsWindows())
                throw new PlatformNotSupportedException("Journals need a Unix file system; use Linux.");
            if (!Directory.Exists(path))
            {
                Directory.CreateDirectory(
                    path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"The folder '{path}' cannot be made: {e.Message}", e);
        }
    }

    private static void TryDeleteFolder(string folder)
    {
        try
        {
            DeleteFolder(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It holds no lines that anybody acknowledged: the next recovery tries again.
        }
    }

    // The lines go first: a folder that a crash leaves without them is one that never did anything.
    private static void DeleteFolder(string folder)
    {
        File.Delete(Path.Combine(folder, FileJournal.LinesName));
        Directory.Delete(folder, recursive: true);
    }

    private static void CheckId(string jobId)
    {
        if (jobId.Length is 0 or > 128 || jobId == FinishedName || jobId.AsSpan().ContainsAnyExcept(IdCharacters))
        {
            throw new ArgumentException($"A job's id is 1 to 128 letters, digits and dashes; found '{jobId}'.");
        }
    }
}
