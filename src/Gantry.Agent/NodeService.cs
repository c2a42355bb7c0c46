using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Gantry.Agent.Consoles;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Engines.Screen;
using Gantry.Imaging.BootCommand;
using Gantry.Machines.Catalog;
using Gantry.Machines.Guest;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Nodes;

namespace Gantry.Agent;

/// <summary>What this node gives of its machines to whoever asks, here or on another node.</summary>
/// <param name="host">Finds running machines.</param>
/// <param name="machines">Their records.</param>
/// <param name="login">How one logs in to them.</param>
/// <param name="time">The clock.</param>
public sealed class NodeService(MachineHost host, MachineCatalog machines, MachineLogin login, TimeProvider time)
    : INodeService, IAsyncDisposable
{
    private const int SshPort = 22;

    /// <summary>How long a guest may take to let one in.</summary>
    private static readonly TimeSpan LoginPatience = TimeSpan.FromSeconds(60);

    /// <summary>A guest's first boot puts the key in after its SSH server is up; a wrong login must end soon.</summary>
    private const int LoginAttempts = 5;

    private readonly SerialBroker _serial = new();
    private readonly ConcurrentDictionary<MachineKey, bool> _typing = [];

    public async Task CheckAsync(MachineKey machine, ConsoleRequest request, CancellationToken cancellationToken)
    {
        var record = await FindForConsoleAsync(machine, cancellationToken).ConfigureAwait(false);
        if (request is ConsoleRequest.Exec)
            GuestPorts.Find(host, record, SshPort);
        else if (!host.IsAlive(record.Number))
            throw NotRunning(record);
    }

    public async Task<IConsoleChannel> OpenAsync(
        MachineKey machine, ConsoleRequest request, CancellationToken cancellationToken)
    {
        var record = await FindForConsoleAsync(machine, cancellationToken).ConfigureAwait(false);
        return request switch
        {
            ConsoleRequest.Serial serial => await _serial.WatchAsync(
                machine, new QemuSerialPort(host, record, time), serial, cancellationToken).ConfigureAwait(false),
            ConsoleRequest.Vnc => await OpenVncAsync(record, cancellationToken).ConfigureAwait(false),
            ConsoleRequest.Exec exec => await OpenExecAsync(record, exec, cancellationToken).ConfigureAwait(false),
            _ => throw new InvalidOperationException($"unknown console {request.GetType().Name}"),
        };
    }

    public async Task<ReadOnlyMemory<byte>> ScreenshotAsync(MachineKey machine, CancellationToken cancellationToken)
    {
        var record = await FindAsync(machine, cancellationToken).ConfigureAwait(false);
        await using var guest = await host.GetRunningAsync(record, cancellationToken).ConfigureAwait(false);
        try
        {
            var picture = await new QemuScreenReader(guest.Monitor, hasTextMemory: false)
                .PictureAsync(cancellationToken).ConfigureAwait(false)
                ?? throw new ProblemException(
                    ProblemKind.Conflict, $"{record.Spec.Name} has no display",
                    $"look at its serial console: gantry console {record.Spec.Name}");
            return PngWriter.Write(picture);
        }
        catch (Exception e) when (e is QmpException or QmpConnectionException or TimeoutException)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"the screen of {record.Spec.Name} can't be read: {e.Message}", inner: e);
        }
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadLogAsync(
        MachineKey machine, LogRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var record = await FindAsync(machine, cancellationToken).ConfigureAwait(false);
        var paths = host.PathsOf(record.Number);
        var path = request.Source switch
        {
            LogSource.Serial => paths.SerialLog,
            LogSource.Qemu => paths.Log,
        };
        Func<bool>? isGrowing = request.Follow ? () => host.IsAlive(record.Number) : null;
        if (!File.Exists(path) && isGrowing?.Invoke() != true)
        {
            throw new ProblemException(
                ProblemKind.NotFound, $"{record.Spec.Name} has no such log: it has not been started yet",
                $"start it: gantry start {record.Spec.Name}");
        }

        await foreach (var piece in LogTail.ReadAsync(path, request.Lines, isGrowing, time, cancellationToken)
            .ConfigureAwait(false))
            yield return piece;
    }

    public async Task TypeAsync(MachineKey machine, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        var record = await FindForConsoleAsync(machine, cancellationToken).ConfigureAwait(false);
        var script = HandTyping.Read(keys, record.Spec);
        if (!_typing.TryAdd(machine, true))
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"somebody types at {record.Spec.Name} already, and the keys would mix",
                "wait until that is typed");
        }

        try
        {
            await using var guest = await host.GetRunningAsync(record, cancellationToken).ConfigureAwait(false);
            await HandTyping.TypeAsync(
                guest, record.Spec, host.PathsOf(record.Number).SerialLog, script, NoProgress.Instance, time,
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _typing.TryRemove(machine, out _);
        }
    }

    /// <summary>Ends all consoles of serial lines; the machines run on.</summary>
    public ValueTask DisposeAsync() => _serial.DisposeAsync();

    private async Task<IConsoleChannel> OpenVncAsync(MachineRecord record, CancellationToken cancellationToken)
    {
        if (!host.IsAlive(record.Number))
            throw NotRunning(record);
        try
        {
            return await VncChannel.OpenAsync(
                host.PathsOf(record.Number).Vnc, () => host.IsAlive(record.Number), time, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"the display of {record.Spec.Name} can't be reached: {e.Message}",
                $"gantry show {record.Spec.Name} tells whether it still runs", inner: e);
        }
    }

    private async Task<IConsoleChannel> OpenExecAsync(
        MachineRecord record, ConsoleRequest.Exec request, CancellationToken cancellationToken)
    {
        if (await host.PhaseAsync(record, cancellationToken).ConfigureAwait(false) == MachinePhase.Paused)
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{record.Spec.Name} is paused",
                $"let it go on: gantry resume {record.Spec.Name}");
        }

        var target = await login.TargetAsync(record, request.User, keyFile: null, cancellationToken)
            .ConfigureAwait(false);
        var shell = await login.ConnectAsync(
            record, target with { HandshakeAttempts = LoginAttempts }, LoginPatience, progress: null, cancellationToken)
            .ConfigureAwait(false);
        return await ExecChannel.OpenAsync(shell, request, time, cancellationToken).ConfigureAwait(false);
    }

    private async Task<MachineRecord> FindAsync(MachineKey machine, CancellationToken cancellationToken)
    {
        var record = await machines.FindAsync(machine.Number, cancellationToken).ConfigureAwait(false);
        return record is not null && record.Uuid == machine.Uuid
            ? record
            : throw new ProblemException(
                ProblemKind.NotFound, $"machine {machine.Number} was deleted", "gantry list shows all machines");
    }

    private async Task<MachineRecord> FindForConsoleAsync(MachineKey machine, CancellationToken cancellationToken)
    {
        var record = await FindAsync(machine, cancellationToken).ConfigureAwait(false);
        return record.Role == MachineRole.Ordinary
            ? record
            : throw new ProblemException(
                ProblemKind.Conflict, $"{record.Spec.Name} belongs to a build, which is at its keyboard",
                "its screenshot and its logs can be looked at");
    }

    private static ProblemException NotRunning(MachineRecord record) => new(
        ProblemKind.Conflict, $"{record.Spec.Name} is not running", $"start it: gantry start {record.Spec.Name}");
}
