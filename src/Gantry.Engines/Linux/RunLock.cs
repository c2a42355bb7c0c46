using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engines.Linux;

/// <summary>
/// A lock that lives exactly as long as a process which inherited it. It is an open-file-description lock
/// (fcntl(2), F_OFD_SETLK): it belongs to the open file, not to the process that took it, so that it stays held
/// while any copy of the descriptor is open, and it can be asked for without being taken, so that two askers never
/// disturb each other or a starter, as they would with flock(2).
/// </summary>
internal sealed unsafe class RunLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private RunLock(SafeFileHandle file) => _file = file;

    public SafeFileHandle File => _file;

    /// <summary>Takes the lock; null while another process holds it. The file is made if it is missing.</summary>
    /// <exception cref="IOException">The file can't be opened or locked.</exception>
    public static RunLock? TryTake(string path)
    {
        var file = Open(path, Libc.ReadWrite | Libc.Create | Libc.CloseOnExec)
            ?? throw new IOException($"can't open {path}: {Marshal.GetLastPInvokeErrorMessage()}");
        var wanted = new Libc.FileLock { Type = Libc.LockWrite };
        if (Libc.Fcntl((int)file.DangerousGetHandle(), Libc.OfdSetLock, &wanted) == 0)
            return new RunLock(file);
        var error = Marshal.GetLastPInvokeError();
        file.Dispose();
        if (error is Libc.Eagain or Libc.Eacces)
            return null;
        throw new IOException($"can't lock {path}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>Whether any process holds it; takes nothing. A missing file is not held.</summary>
    /// <exception cref="IOException">The file is there but can't be opened.</exception>
    public static bool IsHeld(string path)
    {
        using var file = Open(path, Libc.ReadWrite | Libc.CloseOnExec);
        if (file is null)
        {
            // Not asked of the file system again: its first taker may make the file at this moment.
            var error = Marshal.GetLastPInvokeError();
            return error == Libc.Enoent
                ? false
                : throw new IOException($"can't open {path}: {Marshal.GetPInvokeErrorMessage(error)}");
        }
        var asked = new Libc.FileLock { Type = Libc.LockWrite };
        if (Libc.Fcntl((int)file.DangerousGetHandle(), Libc.OfdGetLock, &asked) != 0)
            throw new IOException($"can't ask for the lock on {path}: {Marshal.GetLastPInvokeErrorMessage()}");
        return asked.Type != Libc.LockNone;
    }

    /// <summary>Closes this process's copy; the lock goes only when no other process has one.</summary>
    public void Dispose() => _file.Dispose();

    private static SafeFileHandle? Open(string path, int flags)
    {
        var descriptor = Libc.Open(path, flags, 0x180 /* 0600 */);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }
}
