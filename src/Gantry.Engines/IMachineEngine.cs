using Gantry.Engines.Qemu;
using Gantry.Model;

namespace Gantry.Engines;

/// <summary>
/// Starts machines and finds them again. A machine's run directory is the whole of its identity here: at most one
/// process runs it at any time.
/// </summary>
public interface IMachineEngine
{
    /// <summary>Starts a machine that is not running.</summary>
    /// <param name="runDirectory">Absolute; made if missing. <see cref="QemuLaunch.Run"/> lies in it.</param>
    /// <exception cref="ProblemException">
    /// It runs already (<see cref="ProblemKind.Conflict"/>), or it did not come up; then nothing is left running.
    /// </exception>
    Task<IMachineGuest> StartAsync(QemuLaunch launch, string runDirectory, CancellationToken cancellationToken = default);

    /// <summary>Connects to a running machine, whoever started it; null when none runs there.</summary>
    /// <exception cref="ProblemException">Something runs there but does not answer, or is another machine.</exception>
    Task<IMachineGuest?> FindAsync(string runDirectory, Guid uuid, CancellationToken cancellationToken = default);

    /// <summary>
    /// Connects to a running machine's monitor for listeners, which takes one at a time; null when none runs there, when
    /// somebody listens already, or when the machine was started by a Gantry that had no such monitor.
    /// </summary>
    /// <exception cref="ProblemException">It is another machine.</exception>
    Task<IMachineGuest?> WatchAsync(string runDirectory, Guid uuid, CancellationToken cancellationToken = default);

    /// <summary>Whether a process runs the machine: one question to the kernel, no connection.</summary>
    bool IsAlive(string runDirectory);

    /// <summary>
    /// Ends a machine's process even where its monitor does not answer; nothing happens when none runs.
    /// </summary>
    /// <exception cref="ProblemException">It is another machine's, or it would not die.</exception>
    Task KillAsync(string runDirectory, Guid uuid, CancellationToken cancellationToken = default);
}
