using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Steps.Journals;

/// <summary>
/// A lock on a file that the kernel takes away when its owner dies, however it dies. It belongs to the open file, so
/// that it holds between two owners in one process as well, and programs that the owner starts do not inherit it.
/// </summary>
internal sealed partial class FileLock : IDisposable
{
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int WouldBlock = 11; // EAGAIN

    private readonly SafeFileHandle _handle;

    private FileLock(SafeFileHandle handle) => _handle = handle;

    /// <summary>Null if somebody else holds the lock. Makes the file if there is none.</summary>
    /// <exception cref="JournalException">The file cannot be opened, or its file system cannot lock.</exception>
    public static FileLock? TryTake(string path)
    {
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult == WouldBlock)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"The lock file '{path}' cannot be opened: {e.Message}", e);
        }

        // FileShare.None has locked already, unless file locking is switched off for the process or unknown to the
        // file system, which .NET passes over in silence.
        if (Flock(handle, LockExclusive | LockNonBlocking) == 0)
            return new FileLock(handle);

        int error = Marshal.GetLastPInvokeError();
        handle.Dispose();
        if (error == WouldBlock)
            return null;
        throw new JournalException(
            $"The file system of '{path}' cannot lock files ({Marshal.GetPInvokeErrorMessage(error)}). Name a state "
            + "folder on a local disk.");
    }

    /// <summary>Waits for the lock; for those that are held for moments only.</summary>
    /// <exception cref="JournalException">It was not free for 30 s.</exception>
    public static async ValueTask<FileLock> TakeAsync(
        string path, TimeProvider time, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            if (TryTake(path) is { } taken)
                return taken;
            if (time.GetElapsedTime(start) > TimeSpan.FromSeconds(30))
            {
                throw new JournalException(
                    $"The lock '{path}' was held for 30 s. Look for a process that hangs ('fuser {path}' shows it).");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), time, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose() => _handle.Dispose();

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}
