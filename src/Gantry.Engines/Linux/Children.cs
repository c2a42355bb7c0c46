using System.Runtime.InteropServices;

namespace Gantry.Engines.Linux;

/// <summary>How a child ended.</summary>
/// <param name="Code">Its exit code; null where a signal ended it.</param>
/// <param name="Signal">The signal's number; null where it exited.</param>
internal sealed record ChildExit(int? Code, int? Signal)
{
    public override string ToString() =>
        Code is { } code ? $"exit code {code}" : Signal is { } signal ? $"signal {signal}" : "unknown end";
}

/// <summary>A process started by this one.</summary>
internal sealed record ChildProcess(int Pid, Task<ChildExit> Exited);

/// <summary>
/// Collects the ends of children started by <see cref="Spawner"/>, so that none stays as a zombie while this program
/// lives. The base library collects only what its own Process class started.
/// </summary>
internal static unsafe class Children
{
    private static readonly Dictionary<int, TaskCompletionSource<ChildExit>> Watched = [];

    /// <summary>Two that ask for one child's end: the second finds none, and would report an unknown end.</summary>
    private static readonly Lock Gate = new();

    private static PosixSignalRegistration? _registration;

    public static ChildProcess Start(Func<int> spawn)
    {
        lock (Gate)
        {
            _registration ??= PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => Collect());
            var pid = spawn();
            var ended = new TaskCompletionSource<ChildExit>(TaskCreationOptions.RunContinuationsAsynchronously);
            Watched[pid] = ended;
            // It may have ended, and its signal may have come, before it was in the table.
            TryCollect(pid, ended);
            return new ChildProcess(pid, ended.Task);
        }
    }

    private static void Collect()
    {
        lock (Gate)
        {
            foreach (var (pid, ended) in Watched)
                TryCollect(pid, ended);
        }
    }

    private static void TryCollect(int pid, TaskCompletionSource<ChildExit> ended)
    {
        int status;
        var result = Libc.WaitPid(pid, &status, Libc.NoHang);
        if (result == 0 || (result < 0 && Marshal.GetLastPInvokeError() == Libc.Eintr))
            return;
        Watched.Remove(pid);
        var signal = status & 0x7f;
        ended.TrySetResult(
            result < 0 ? new ChildExit(null, null)
            : signal == 0 ? new ChildExit((status >> 8) & 0xff, null)
            : new ChildExit(null, signal));
    }
}
