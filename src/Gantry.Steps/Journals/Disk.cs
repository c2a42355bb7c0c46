using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Steps.Journals;

/// <summary>What .NET cannot ask of a Unix file system.</summary>
internal static partial class Disk
{
    private const int KeepSize = 1; // FALLOC_FL_KEEP_SIZE
    private const int NoSpace = 28; // ENOSPC
    private const int QuotaExceeded = 122; // EDQUOT
    private const int ReadOnlyCloseOnExec = 0x80000; // O_RDONLY | O_CLOEXEC, alike on x86-64 and arm64

    /// <summary>Makes the names in a folder durable.</summary>
    /// <exception cref="JournalException">The folder cannot be opened or written out.</exception>
    public static void SyncFolder(string path)
    {
        int file = Open(path, ReadOnlyCloseOnExec);
        if (file < 0)
            throw Failed($"The folder '{path}' cannot be opened");
        using var handle = new SafeFileHandle(file, ownsHandle: true);
        if (Fsync(handle) != 0)
            throw Failed($"The folder '{path}' cannot be written to the disk");
    }

    /// <summary>
    /// Takes room for a file without making it longer. A file system that cannot do so is passed over.
    /// </summary>
    /// <exception cref="JournalException">There is no room.</exception>
    public static void Reserve(SafeFileHandle file, string path, long bytes)
    {
        if (Fallocate(file, KeepSize, 0, bytes) != 0 && Marshal.GetLastPInvokeError() is NoSpace or QuotaExceeded)
            throw Failed($"There is no room for '{path}' ({bytes} bytes); free some space");
    }

    private static JournalException Failed(string what) =>
        new($"{what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Fallocate(SafeFileHandle file, int mode, long offset, long length);
}
