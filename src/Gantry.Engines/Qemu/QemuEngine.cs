using System.Net.Sockets;
using Gantry.Engines.Linux;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Model;

namespace Gantry.Engines.Qemu;

/// <summary>
/// Runs machines in QEMU processes of their own: in a session and, where possible, a control group of their own,
/// outliving whoever started them. Each inherits the lock on its run directory, so that the lock is held exactly as
/// long as the process lives.
/// </summary>
public sealed class QemuEngine(TimeProvider clock) : IMachineEngine
{
    /// <summary>From the start of the process to its monitor's greeting; a starved host can take long.</summary>
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How long one of the two monitors may be busy with another client before the other one is tried.
    /// </summary>
    private static readonly TimeSpan MonitorPatience = TimeSpan.FromSeconds(2);

    private const int MonitorRounds = 5;

    /// <summary>
    /// A program that another thread starts at this moment holds a copy of every descriptor of ours until it is
    /// loaded, a machine's lock among them, even one whose QEMU has just ended.
    /// </summary>
    private static readonly TimeSpan LockPatience = TimeSpan.FromMilliseconds(300);

    public QemuEngine()
        : this(TimeProvider.System)
    {
    }

    public bool IsAlive(string runDirectory)
    {
        try
        {
            return RunLock.IsHeld(RunPaths.LockIn(runDirectory));
        }
        catch (IOException e)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"can't tell whether the machine in {runDirectory} runs: {e.Message}", inner: e);
        }
    }

    async Task<IMachineGuest> IMachineEngine.StartAsync(
        QemuLaunch launch, string runDirectory, CancellationToken cancellationToken) =>
        await StartAsync(launch, runDirectory, cancellationToken).ConfigureAwait(false);

    async Task<IMachineGuest?> IMachineEngine.FindAsync(
        string runDirectory, Guid uuid, CancellationToken cancellationToken) =>
        await FindAsync(runDirectory, uuid, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="IMachineEngine.StartAsync"/>
    public async Task<QemuGuest> StartAsync(
        QemuLaunch launch, string runDirectory, CancellationToken cancellationToken = default)
    {
        var arguments = QemuCommandLine.Build(launch);
        Directory.CreateDirectory(
            runDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var runLock = await TakeAsync(launch, runDirectory, cancellationToken).ConfigureAwait(false);
        foreach (var socket in (string[])[launch.Run.Qmp, launch.Run.SpareQmp, launch.Run.Events, launch.Run.Serial, launch.Run.Vnc,
            launch.Run.GuestAgent])
            File.Delete(socket);
        if (File.Exists(launch.Run.Log))
            File.Move(launch.Run.Log, launch.Run.Log + ".1", overwrite: true);
        GuestLogs.Bound(launch.Run);
        var group = ControlGroup.Make(launch.Number.Value);
        ChildProcess? tpm = null;
        ChildProcess? qemu = null;
        try
        {
            if (launch.Spec.Tpm is { } spec)
            {
                var state = launch.TpmStateDirectory
                    ?? throw new ArgumentException("a TPM needs a directory for its state", nameof(launch));
                tpm = await SoftwareTpm.StartAsync(spec, state, launch.Run, clock, cancellationToken)
                    .ConfigureAwait(false);
                group.Add(tpm.Pid);
            }
            qemu = Spawner.Start(new SpawnRequest
            {
                Program = launch.Binary,
                Arguments = arguments,
                LogPath = launch.Run.Log,
                Inherited = runLock.File,
            });
            group.Add(qemu.Pid);
            return await GreetAsync(launch, qemu, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await EndAsync(qemu).ConfigureAwait(false);
            await EndAsync(tpm).ConfigureAwait(false);
            group.Remove();
            throw;
        }
    }

    /// <inheritdoc cref="IMachineEngine.FindAsync"/>
    public async Task<QemuGuest?> FindAsync(
        string runDirectory, Guid uuid, CancellationToken cancellationToken = default)
    {
        var run = RunPaths.For(runDirectory);
        Exception? last = null;
        GuestLogs.Bound(run);
        // The monitors take one client each: another command may be at one of them for a moment.
        for (var round = 0; round < MonitorRounds * 2; round++)
        {
            if (!IsAlive(runDirectory))
                return null;
            try
            {
                var path = round % 2 == 0 ? run.Qmp : run.SpareQmp;
                return await QemuGuest.ConnectAsync(path, run, uuid, MonitorPatience, clock, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (Exception e) when (e is QmpConnectionException or TimeoutException or SocketException)
            {
                last = e;
            }
        }
        if (!IsAlive(runDirectory))
            return null;
        throw new ProblemException(
            ProblemKind.Unavailable,
            $"a machine runs in {runDirectory}, but its monitors do not answer",
            "another command may be using both; gantry stop --force ends the machine",
            last?.Message ?? "", last);
    }

    /// <inheritdoc cref="IMachineEngine.WatchAsync"/>
    public async Task<IMachineGuest?> WatchAsync(
        string runDirectory, Guid uuid, CancellationToken cancellationToken = default)
    {
        var run = RunPaths.For(runDirectory);
        if (!IsAlive(runDirectory) || !File.Exists(run.Events))
            return null;
        try
        {
            return await QemuGuest.ConnectAsync(run.Events, run, uuid, MonitorPatience, clock, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is QmpConnectionException or TimeoutException or SocketException)
        {
            return null;
        }
    }

    public async Task KillAsync(string runDirectory, Guid uuid, CancellationToken cancellationToken = default)
    {
        var run = RunPaths.For(runDirectory);
        if (!IsAlive(runDirectory))
            return;
        using var process = await IdentifyAsync(run, uuid, cancellationToken).ConfigureAwait(false);
        var group = ControlGroup.Of(process.Pid);
        process.TrySignal(Libc.SigKill);
        var started = clock.GetTimestamp();
        while (IsAlive(runDirectory))
        {
            if (clock.GetElapsedTime(started) > TimeSpan.FromSeconds(10))
            {
                throw new ProblemException(
                    ProblemKind.Failed,
                    $"the machine's process {process.Pid} was killed but has not ended",
                    "it may be waiting for a disk or a network file system that does not answer");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(10), clock, cancellationToken).ConfigureAwait(false);
        }
        group.Remove();
    }

    /// <summary>
    /// Which process listens on the machine's sockets: the kernel tells without QEMU's help. Its arguments must name
    /// the machine's UUID.
    /// </summary>
    private static async Task<ProcessHandle> IdentifyAsync(RunPaths run, Guid uuid, CancellationToken cancellationToken)
    {
        foreach (var path in (string[])[run.SpareQmp, run.Qmp, run.GuestAgent, run.Vnc, run.Serial])
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(TimeSpan.FromSeconds(1));
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), patience.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                continue;
            }
            var pid = PeerCredentials.Of(socket).Pid;
            var process = ProcessHandle.TryOpen(pid);
            if (process is null)
                continue;
            if (IsMachine(pid, uuid))
                return process;
            process.Dispose();
            throw new ProblemException(
                ProblemKind.Conflict, $"process {pid} listens on {path}, but it is not the machine {uuid}");
        }
        throw new ProblemException(
            ProblemKind.Unavailable, $"a process holds {run.Lock}, but none listens on the machine's sockets",
            $"fuser {run.Lock} shows which");
    }

    private static bool IsMachine(int pid, Guid uuid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Split('\0').Contains(uuid.ToString("D"));
        }
        catch (IOException)
        {
            return false;
        }
    }

    private async Task<RunLock> TakeAsync(QemuLaunch launch, string runDirectory, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        try
        {
            while (true)
            {
                if (RunLock.TryTake(launch.Run.Lock) is { } taken)
                    return taken;
                if (clock.GetElapsedTime(started) > LockPatience)
                    break;
                await Task.Delay(TimeSpan.FromMilliseconds(10), clock, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (IOException e)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"{launch.Spec.Name} could not be started: {e.Message}", inner: e);
        }
        throw new ProblemException(
            ProblemKind.Conflict,
            $"{launch.Spec.Name} runs already, or is being started by another command",
            $"gantry list shows it; its files are in {runDirectory}");
    }

    /// <summary>
    /// Waits for the monitor's greeting, which QEMU gives when the machine is made, or for QEMU's end.
    /// </summary>
    private async Task<QemuGuest> GreetAsync(QemuLaunch launch, ChildProcess qemu, CancellationToken cancellationToken)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var connecting = QemuGuest.ConnectAsync(
            launch.Run.Qmp, launch.Run, launch.Uuid, StartDeadline, clock, giveUp.Token);
        var first = await Task.WhenAny(connecting, qemu.Exited).ConfigureAwait(false);
        if (first == connecting && connecting.IsCompletedSuccessfully)
            return await connecting.ConfigureAwait(false);
        if (first == connecting)
        {
            // A QEMU that ends closes its monitor first and is collected a moment later.
            await Task.WhenAny(qemu.Exited, Task.Delay(TimeSpan.FromMilliseconds(500), clock, cancellationToken))
                .ConfigureAwait(false);
        }
        await giveUp.CancelAsync().ConfigureAwait(false);
        Exception? reason = null;
        try
        {
            await using var guest = await connecting.ConfigureAwait(false);
        }
        catch (Exception e) when (e is not ProblemException)
        {
            reason = e;
        }
        cancellationToken.ThrowIfCancellationRequested();
        var ending = qemu.Exited.IsCompleted
            ? (await qemu.Exited.ConfigureAwait(false)).ToString()
            : $"no answer within {StartDeadline.TotalSeconds:0} s";
        throw new ProblemException(
            QemuFailures.FromLog(launch.Spec.Name, QemuFailures.ReadTail(launch.Run.Log), ending), reason);
    }

    private static async Task EndAsync(ChildProcess? child)
    {
        if (child is null || child.Exited.IsCompleted)
            return;
        // Our own child, not yet collected: its number can't have been given to another process.
        using var process = ProcessHandle.TryOpen(child.Pid);
        process?.TrySignal(Libc.SigKill);
        await child.Exited.ConfigureAwait(false);
    }
}
