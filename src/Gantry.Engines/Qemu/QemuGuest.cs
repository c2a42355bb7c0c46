using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engines.Linux;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu;

/// <summary>A connection to the QEMU of one running machine.</summary>
public sealed partial class QemuGuest : IMachineGuest
{
    private static readonly TimeSpan QuitPatience = TimeSpan.FromSeconds(5);

    private readonly QmpClient _monitor;
    private readonly RunPaths _run;
    private readonly ProcessHandle _process;
    private readonly TimeProvider _clock;
    private readonly QmpSubscription _events;
    private readonly ControlGroup _group;

    private QemuGuest(QmpClient monitor, RunPaths run, Guid uuid, ProcessHandle process, TimeProvider clock)
    {
        _monitor = monitor;
        _run = run;
        _process = process;
        _clock = clock;
        Uuid = uuid;
        _group = ControlGroup.Of(process.Pid);
        _events = monitor.Subscribe("SHUTDOWN", "STOP", "RESUME");
    }

    public event Action? PhaseChanged;

    public int Pid => _process.Pid;

    public Guid Uuid { get; }

    public QmpClient Monitor => _monitor;

    IQemuMonitor IMachineGuest.Monitor => _monitor;

    /// <summary>Connects to a monitor socket, which may not be there yet, and checks that it is the machine's.</summary>
    /// <exception cref="QmpConnectionException">Nothing answered within the patience.</exception>
    /// <exception cref="ProblemException">Another machine answered.</exception>
    internal static async Task<QemuGuest> ConnectAsync(
        string path, RunPaths run, Guid uuid, TimeSpan patience, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var socket = await DialAsync(path, patience, clock, cancellationToken).ConfigureAwait(false);
        QmpClient? monitor = null;
        ProcessHandle? process = null;
        try
        {
            var left = patience - clock.GetElapsedTime(started);
            var options = new QmpOptions
            {
                ConnectTimeout = left > TimeSpan.FromMilliseconds(100) ? left : TimeSpan.FromMilliseconds(100),
                Clock = clock,
            };
            process = ProcessHandle.TryOpen(PeerCredentials.Of(socket).Pid)
                ?? throw new QmpConnectionException($"the process behind {path} has ended");
            // It answers after its handle was opened: the handle names it, and no later process of the same number.
            monitor = await QmpClient.AttachAsync(socket, path, options, cancellationToken).ConfigureAwait(false);
            var answer = await monitor.ExecuteAsync("query-uuid", null, cancellationToken).ConfigureAwait(false);
            var found = answer.GetProperty("UUID"u8).GetString();
            if (!Guid.TryParse(found, out var id) || id != uuid)
            {
                throw new ProblemException(
                    ProblemKind.Conflict, $"the machine behind {path} is {found}, not {uuid}");
            }
            return new QemuGuest(monitor, run, uuid, process, clock);
        }
        catch
        {
            process?.Dispose();
            if (monitor is not null)
                await monitor.DisposeAsync().ConfigureAwait(false);
            socket.Dispose();
            throw;
        }
    }

    public async Task<MachinePhase> PhaseAsync(CancellationToken cancellationToken = default)
    {
        var answer = await RunAsync("query-status", null, cancellationToken).ConfigureAwait(false);
        return answer.GetProperty("status"u8).GetString() switch
        {
            "running" => MachinePhase.Running,
            "prelaunch" or "inmigrate" => MachinePhase.Starting,
            "io-error" or "internal-error" or "guest-panicked" or "watchdog" => MachinePhase.Faulted,
            "shutdown" => MachinePhase.Stopped,
            _ => MachinePhase.Paused,
        };
    }

    public Task ResumeAsync(CancellationToken cancellationToken = default) => RunAsync("cont", null, cancellationToken);

    public Task PauseAsync(CancellationToken cancellationToken = default) => RunAsync("stop", null, cancellationToken);

    public Task PowerDownAsync(CancellationToken cancellationToken = default) =>
        RunAsync("system_powerdown", null, cancellationToken);

    public Task ResetAsync(CancellationToken cancellationToken = default) =>
        RunAsync("system_reset", null, cancellationToken);

    public async Task QuitAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await _monitor.ExecuteAsync("quit", null, cancellationToken)
                .WaitAsync(QuitPatience, _clock, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is QmpException or QmpConnectionException or TimeoutException)
        {
            // Ended already, or deaf: the signals below settle it.
        }
        if (await IsGoneAsync(QuitPatience, cancellationToken).ConfigureAwait(false))
            return;
        foreach (var signal in (int[])[Libc.SigTerm, Libc.SigKill])
        {
            _process.TrySignal(signal);
            if (await IsGoneAsync(QuitPatience, cancellationToken).ConfigureAwait(false))
                return;
        }
        throw new ProblemException(
            ProblemKind.Failed, $"the machine's process {Pid} was killed but has not ended",
            "it may be waiting for a disk or a network file system that does not answer");
    }

    public async Task<GuestExit> WaitForExitAsync(CancellationToken cancellationToken = default)
    {
        var reason = "unknown";
        try
        {
            while (true)
            {
                var happened = await _events.NextAsync(cancellationToken).ConfigureAwait(false);
                if (happened.Name != "SHUTDOWN")
                    PhaseChanged?.Invoke();
                else if (happened.Data.TryGetProperty("reason"u8, out var said))
                    reason = said.GetString() ?? reason;
            }
        }
        catch (QmpConnectionException)
        {
            // The monitor closes as the process ends, or because this connection is disposed.
        }
        while (!await IsGoneAsync(TimeSpan.FromMinutes(1), cancellationToken).ConfigureAwait(false))
            cancellationToken.ThrowIfCancellationRequested();
        return new GuestExit(reason);
    }

    public async ValueTask DisposeAsync()
    {
        _events.Dispose();
        await _monitor.DisposeAsync().ConfigureAwait(false);
        _process.Dispose();
    }

    private async Task<bool> IsGoneAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = _clock.GetTimestamp();
        while (RunLock.IsHeld(_run.Lock))
        {
            if (_clock.GetElapsedTime(started) > patience)
                return false;
            await Task.Delay(TimeSpan.FromMilliseconds(5), _clock, cancellationToken).ConfigureAwait(false);
        }
        _group.Remove();
        return true;
    }

    /// <summary>Runs a monitor command; what can go wrong there becomes a problem.</summary>
    private async Task<JsonElement> RunAsync(string command, JsonObject? arguments, CancellationToken cancellationToken)
    {
        try
        {
            return await _monitor.ExecuteAsync(command, arguments, cancellationToken).ConfigureAwait(false);
        }
        catch (QmpException e)
        {
            throw new ProblemException(QemuFailures.KindOf(e.Message), e.Message, inner: e);
        }
        catch (QmpConnectionException e)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"the machine can't be reached: {e.Message}",
                detail: QemuFailures.Tail(QemuFailures.ReadTail(_run.Log)), inner: e);
        }
        catch (TimeoutException e)
        {
            throw new ProblemException(ProblemKind.TimedOut, e.Message, inner: e);
        }
    }

    private static async Task<Socket> DialAsync(
        string path, TimeSpan patience, TimeProvider clock, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                if (clock.GetElapsedTime(started) > patience)
                    throw new QmpConnectionException($"nothing accepts on {path}: {e.Message}", e);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(5), clock, cancellationToken).ConfigureAwait(false);
        }
    }
}
