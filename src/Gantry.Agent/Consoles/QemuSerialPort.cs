using System.Net.Sockets;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Agent.Consoles;

/// <summary>Where a machine's serial line is to be had: one client at a time.</summary>
public interface ISerialPort
{
    /// <summary>Connects, and returns once whatever the machine says from now on comes here.</summary>
    /// <exception cref="ProblemException">Somebody else is connected, or it can't be reached.</exception>
    Task<Socket> ConnectAsync(CancellationToken cancellationToken);

    /// <summary>The end of all that it said in this run, whoever was connected.</summary>
    /// <param name="most">Bytes.</param>
    byte[] ReadLog(int most);
}

/// <summary>
/// QEMU's socket for the serial line. QEMU serves one client and lets others wait without a word, so it is asked before
/// and after; it logs to a file what it says, with or without a client.
/// </summary>
public sealed class QemuSerialPort(MachineHost host, MachineRecord machine, TimeProvider time) : ISerialPort
{
    /// <summary>QEMU notices a little late that the last client has left.</summary>
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A QEMU that starts, or copies disks, may be busy for long before it sees that a client has come.
    /// </summary>
    private static readonly TimeSpan ComePatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(20);

    private string Name => machine.Spec.Name;

    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        await using var guest = await host.GetRunningAsync(machine, cancellationToken).ConfigureAwait(false);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (!await BecomesAsync(guest.Monitor, connected: false, LeavePatience, cancellationToken)
                .ConfigureAwait(false))
            {
                throw new ProblemException(
                    ProblemKind.Conflict, $"somebody else is at the console of {Name}, without this node",
                    $"leave it there (Ctrl-]); or read along here: gantry logs {Name} --follow");
            }

            await socket.ConnectAsync(
                new UnixDomainSocketEndPoint(host.PathsOf(machine.Number).Serial), cancellationToken)
                .ConfigureAwait(false);
            if (await BecomesAsync(
                guest.Monitor, connected: true, ComePatience, cancellationToken).ConfigureAwait(false))
                return socket;
            throw new ProblemException(
                ProblemKind.TimedOut, $"{Name} does not take the connection to its serial console",
                $"gantry show {Name} tells what it does");
        }
        catch (Exception e)
        {
            socket.Dispose();
            if (e is not (SocketException or QmpException or QmpConnectionException or TimeoutException))
                throw;
            throw new ProblemException(
                ProblemKind.Unavailable, $"the serial console of {Name} can't be reached: {e.Message}",
                $"gantry show {Name} tells whether it still runs", inner: e);
        }
    }

    public byte[] ReadLog(int most)
    {
        try
        {
            using var log = new FileStream(
                host.PathsOf(machine.Number).SerialLog, FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            log.Position = Math.Max(0, log.Length - most);
            var isCut = log.Position > 0;
            var bytes = new byte[most];
            var length = log.ReadAtLeast(bytes, most, throwOnEndOfStream: false);
            return bytes[(isCut ? bytes.AsSpan(0, length).IndexOf((byte)'\n') + 1 : 0)..length];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A scroll-back is a comfort; the line itself works without.
            return [];
        }
    }

    private async Task<bool> BecomesAsync(
        IQemuMonitor monitor, bool connected, TimeSpan patience, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (await IsConnectedAsync(monitor, cancellationToken).ConfigureAwait(false) != connected)
        {
            if (time.GetElapsedTime(began) > patience)
                return false;
            await Task.Delay(Again, time, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private static async Task<bool> IsConnectedAsync(IQemuMonitor monitor, CancellationToken cancellationToken)
    {
        var devices = await monitor.ExecuteAsync("query-chardev", null, cancellationToken).ConfigureAwait(false);
        foreach (var device in devices.EnumerateArray())
        {
            // Without a client the description begins with "disconnected:".
            if (device.GetProperty("label").GetString() == "serial0")
                return device.GetProperty("filename")
                    .GetString()?.StartsWith("disconnected:", StringComparison.Ordinal) != true;
        }

        throw new QmpException("query-chardev", "DeviceNotFound", "it has no serial line 'serial0'");
    }
}
