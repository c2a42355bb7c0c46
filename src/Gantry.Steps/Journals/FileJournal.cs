using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Steps.Journals;

/// <summary>A journal in a folder of its own: lines of JSON, each on the disk before the next thing happens.</summary>
internal sealed class FileJournal : IJournal
{
    public const string LinesName = "journal.jsonl";
    public const string LockName = "lock";

    /// <summary>How much more than is needed now is reserved at once.</summary>
    private const int ReserveStep = 64 * 1024;

    private readonly FileJournalHome _home;
    private readonly string _folder;
    private readonly FileLock _lock;
    private SafeFileHandle _file;
    private long _length;
    private long _reserved;
    private bool _broken;

    private FileJournal(
        FileJournalHome home, string folder, FileLock held, SafeFileHandle file, ImmutableArray<JournalRecord> records)
    {
        _home = home;
        _folder = folder;
        _lock = held;
        _file = file;
        Records = records;
    }

    public ImmutableArray<JournalRecord> Records { get; private set; }

    public bool IsLarge => _length > JournalLimits.LargeBytes;

    private string LinesPath => Path.Combine(_folder, LinesName);

    /// <summary>Makes the file in a folder that the caller has made and locked.</summary>
    public static FileJournal Create(FileJournalHome home, string folder, FileLock held, JournalRecord.Begun begun)
    {
        string path = Path.Combine(folder, LinesName);
        var file = Open(path, FileMode.CreateNew);
        var journal = new FileJournal(home, folder, held, file, [begun]);
        try
        {
            journal.Append(begun);
            Disk.SyncFolder(folder);
            return journal;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file whose folder the caller has locked; null if its first line was never written.</summary>
    public static FileJournal? Adopt(FileJournalHome home, string folder, FileLock held)
    {
        string path = Path.Combine(folder, LinesName);
        if (!File.Exists(path))
            return null;
        var file = Open(path, FileMode.Open);
        try
        {
            byte[] bytes = Read(file, path);
            var records = JournalLines.Read(bytes, path, out int length);
            if (records.IsEmpty)
            {
                file.Dispose();
                return null;
            }

            var journal = new FileJournal(home, folder, held, file, records) { _length = length };
            RandomAccess.SetLength(file, length);
            return journal;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public ValueTask AppendAsync(JournalRecord record, CancellationToken cancellationToken)
    {
        Append(record);
        return ValueTask.CompletedTask;
    }

    public ValueTask RewriteAsync(ImmutableArray<JournalRecord> records, CancellationToken cancellationToken)
    {
        string path = LinesPath + ".new";
        byte[] bytes = [.. records.SelectMany(JournalLines.Write)];
        try
        {
            File.Delete(path);
            var file = Open(path, FileMode.CreateNew);
            try
            {
                Disk.Reserve(file, path, bytes.Length + JournalLimits.WayBackBytes);
                RandomAccess.Write(file, bytes, 0);
                RandomAccess.FlushToDisk(file);
                File.Move(path, LinesPath, overwrite: true);
            }
            catch
            {
                file.Dispose();
                throw;
            }

            _file.Dispose();
            (_file, _length, _reserved) = (file, bytes.Length, bytes.Length + JournalLimits.WayBackBytes);
            Records = records;
            Disk.SyncFolder(_folder);
            return ValueTask.CompletedTask;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"The journal '{LinesPath}' cannot be rewritten: {e.Message}", e);
        }
    }

    public ValueTask CloseAsync(CancellationToken cancellationToken) =>
        _home.RemoveAsync(_folder, cancellationToken);

    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        _lock.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Append(JournalRecord record)
    {
        if (_broken)
            throw new JournalException($"The journal '{LinesPath}' could not be written before.");
        byte[] line = JournalLines.Write(record);
        JournalLimits.CheckForward(record, line.Length, _length);
        if (!record.IsWayBack)
            Reserve(_length + line.Length + JournalLimits.WayBackBytes);
        try
        {
            RandomAccess.Write(_file, line, _length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What was written of it has no line feed, counts for nothing, and is overwritten by the next line.
            throw new JournalException($"The journal '{LinesPath}' cannot be written: {e.Message}", e);
        }

        try
        {
            RandomAccess.FlushToDisk(_file);
        }
        catch (IOException e)
        {
            // The kernel reports such a failure once and then forgets the data: nothing after it can be trusted.
            _broken = true;
            throw new JournalException($"The journal '{LinesPath}' cannot be written to the disk: {e.Message}", e);
        }

        _length += line.Length;
    }

    private void Reserve(long bytes)
    {
        if (bytes <= _reserved)
            return;
        Disk.Reserve(_file, LinesPath, bytes + ReserveStep);
        _reserved = bytes + ReserveStep;
    }

    private static SafeFileHandle Open(string path, FileMode mode)
    {
        try
        {
            if (OperatingSystem.IsWindows())
                throw new PlatformNotSupportedException("Journals need a Unix file system; use Linux.");
            var file = File.OpenHandle(
                path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            // Its own folder is private; the mode is for when the file is moved or copied.
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"The journal '{path}' cannot be opened: {e.Message}", e);
        }
    }

    private static byte[] Read(SafeFileHandle file, string path)
    {
        long length = RandomAccess.GetLength(file);
        if (length > JournalLimits.MaxBytes + JournalLimits.MaxLineBytes)
        {
            throw new JournalException(
                $"The journal '{path}' has {length} bytes; the limit is {JournalLimits.MaxBytes}. No program of ours "
                + "wrote it: move it away.");
        }

        byte[] bytes = new byte[length];
        int read = 0;
        while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is > 0 and var count)
            read += count;
        return bytes[..read];
    }
}
