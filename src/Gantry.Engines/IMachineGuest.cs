using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engines.Qemu;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines;

/// <summary>
/// A connection to one running machine. Disposing it disconnects; the machine runs on. Every member throws a
/// <see cref="ProblemException"/> when the machine refuses or is gone.
/// </summary>
public interface IMachineGuest : IAsyncDisposable
{
    /// <summary>The process's number, as the kernel says.</summary>
    int Pid { get; }

    Guid Uuid { get; }

    /// <summary>
    /// Raised when guest code was halted or goes on, whoever brought it about, while
    /// <see cref="WaitForExitAsync"/> waits.
    /// </summary>
    event Action? PhaseChanged;

    /// <summary>For the keyboard, the screen, and what has no member here.</summary>
    IQemuMonitor Monitor { get; }

    Task<MachinePhase> PhaseAsync(CancellationToken cancellationToken = default);

    Task ResumeAsync(CancellationToken cancellationToken = default);

    Task PauseAsync(CancellationToken cancellationToken = default);

    /// <summary>Presses the power button; whether the guest heeds it is the guest's affair.</summary>
    Task PowerDownAsync(CancellationToken cancellationToken = default);

    Task ResetAsync(CancellationToken cancellationToken = default);

    /// <summary>Ends the process, by force where asking does not help, and returns when it is gone.</summary>
    Task QuitAsync(CancellationToken cancellationToken = default);

    /// <summary>Waits until the process is gone.</summary>
    Task<GuestExit> WaitForExitAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// The node that each drive's device sits on now, by drive: <c>disk0</c>..., <c>cd0</c>... where a medium is in,
    /// <c>efivars</c>.
    /// </summary>
    Task<IReadOnlyDictionary<string, string>> TopNodesAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Lays new, empty overlays over several nodes at one instant: all or none. The files are there already, each
    /// with the size of the disk it goes over.
    /// </summary>
    Task SnapshotDisksAsync(IReadOnlyList<DiskOverlay> overlays, CancellationToken cancellationToken = default);

    /// <summary>
    /// Writes the machine's memory and device state to a new file, which appears only when it is complete and on
    /// disk. The machine is paused by it and stays so.
    /// </summary>
    Task SaveMemoryAsync(
        string path, IProgress<JobProgress>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads such a file into a machine started with <see cref="QemuLaunch.Incoming"/> and the same hardware. It is
    /// paused afterwards.
    /// </summary>
    Task LoadMemoryAsync(
        string path, IProgress<JobProgress>? progress = null, CancellationToken cancellationToken = default);

    /// <exception cref="ProblemException">The port is taken (<see cref="ProblemKind.Unavailable"/>).</exception>
    Task AddPublishedPortAsync(LaunchPort port, CancellationToken cancellationToken = default);

    Task RemovePublishedPortAsync(LaunchPort port, CancellationToken cancellationToken = default);

    /// <param name="drive">cd0, cd1, ...</param>
    /// <param name="path">The image, absolute.</param>
    Task ChangeCdromAsync(string drive, string path, CancellationToken cancellationToken = default);

    /// <summary>Takes the medium out, even where the guest has locked the tray.</summary>
    Task EjectAsync(string drive, CancellationToken cancellationToken = default);

    /// <param name="node">The disk's top node.</param>
    /// <param name="bytes">Not less than it has.</param>
    Task ResizeDiskAsync(string node, long bytes, CancellationToken cancellationToken = default);

    /// <summary>The node of each image file that the machine has open, by the file's absolute path.</summary>
    Task<IReadOnlyDictionary<string, string>> NodesByFileAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Copies into a node what it has from below, down to but without <paramref name="baseNode"/>; from all of them
    /// when that is null. What was beneath is no longer needed then.
    /// </summary>
    /// <param name="node">The node that grows.</param>
    /// <param name="baseNode">What it stands on then.</param>
    /// <param name="baseName">
    /// What the node's file is to call the base's file; null: its path, as QEMU knows it.
    /// </param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Stops; the node then has its old content.</param>
    Task StreamAsync(
        string node, string? baseNode, string? baseName = null, IProgress<JobProgress>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Writes the nodes from <paramref name="topNode"/> down into <paramref name="baseNode"/>; those between are no
    /// longer needed then. Where the top is the disk's own top, the base takes its place.
    /// </summary>
    /// <param name="rootNode">The top of the disk's chain.</param>
    Task CommitAsync(
        string rootNode, string topNode, string baseNode, IProgress<JobProgress>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>Runs one command of QEMU's guest agent and gives its <c>return</c> value.</summary>
    /// <exception cref="ProblemException">
    /// No agent answered in time (<see cref="ProblemKind.TimedOut"/>), or it refused the command.
    /// </exception>
    Task<JsonElement> GuestAgentAsync(
        string command, JsonObject? arguments = null, TimeSpan? timeout = null,
        CancellationToken cancellationToken = default);
}

/// <summary>A new qcow2 file to go over a node.</summary>
/// <param name="Node">The top node of a disk, see <see cref="IMachineGuest.TopNodesAsync"/>.</param>
/// <param name="NewNode">At most 31 characters, not in use: letters, digits, hyphens.</param>
public sealed record DiskOverlay(string Node, string Path, string NewNode, bool Discard = true);

/// <summary>Bytes; the total may grow while the job runs.</summary>
public readonly record struct JobProgress(long Done, long Total);

/// <summary>Why a machine's process ended, where it said so.</summary>
/// <param name="Reason">
/// QEMU's word: guest-shutdown, guest-panic, host-qmp-quit, host-signal...; <c>unknown</c> when it was not heard.
/// </param>
public sealed record GuestExit(string Reason)
{
    public bool ByGuest => Reason is "guest-shutdown" or "guest-reset";

    /// <summary>Whether the guest or a user brought it about: anything else is a failure.</summary>
    public bool Orderly => ByGuest || Reason is "host-qmp-quit" or "host-qmp-system-reset" or "host-ui";
}
