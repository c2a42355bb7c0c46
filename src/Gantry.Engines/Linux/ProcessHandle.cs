using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engines.Linux;

/// <summary>A pidfd: names one process, never another one that was given the same number later.</summary>
internal sealed class ProcessHandle : IDisposable
{
    private readonly SafeFileHandle _descriptor;

    private ProcessHandle(int pid, SafeFileHandle descriptor)
    {
        Pid = pid;
        _descriptor = descriptor;
    }

    public int Pid { get; }

    /// <summary>null when no such process exists (any more).</summary>
    public static ProcessHandle? TryOpen(int pid)
    {
        var descriptor = Libc.Syscall(Libc.SysPidfdOpen, pid, 0, 0, 0);
        return descriptor < 0 ? null : new ProcessHandle(pid, new SafeFileHandle(descriptor, ownsHandle: true));
    }

    /// <summary>False when the process has ended.</summary>
    /// <exception cref="IOException">The signal was refused, for example for want of rights.</exception>
    public bool TrySignal(int signal)
    {
        if (Libc.Syscall(Libc.SysPidfdSendSignal, _descriptor.DangerousGetHandle(), signal, 0, 0) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        if (error == Libc.Esrch)
            return false;
        throw new IOException($"can't signal process {Pid}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    public void Dispose() => _descriptor.Dispose();
}
