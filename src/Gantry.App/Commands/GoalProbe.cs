using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gantry.App.Hosting;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary>Looks once whether a machine is as <c>gantry wait</c> wants it.</summary>
internal sealed class GoalProbe(GantryNode node, MachineRecord machine, HttpClient http, SerialGoal? console, TimeProvider time)
{
    /// <summary>QEMU accepts for a guest that refuses, and closes as soon as the guest has.</summary>
    private static readonly TimeSpan CloseLimit = TimeSpan.FromMilliseconds(300);

    /// <summary>An emulated guest's server takes its time for the first word.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>Null when the goal is reached, otherwise what was seen.</summary>
    /// <exception cref="ProblemException">It can't be reached: the machine does not run, or has no such port.</exception>
    public async Task<string?> LookAsync(WaitGoal goal, CancellationToken cancellationToken)
    {
        if (goal.Kind == WaitKind.Stopped)
            return node.Host.IsAlive(machine.Number) ? "it runs" : null;
        if (goal.Kind == WaitKind.Running)
        {
            var phase = await node.Host.PhaseAsync(machine, cancellationToken);
            return phase == MachinePhase.Running ? null : $"it is {phase.ToString().ToLowerInvariant()}";
        }

        if (console is not null)
        {
            // Asked before the file is read: what a machine said before it ended is all there then.
            var isAlive = node.Host.IsAlive(machine.Number);
            if (console.Look())
                return null;
            return isAlive ? "it said: " + console.Last : throw new ProblemException(
                ProblemKind.Failed, $"{machine.Spec.Name} has ended, and /{goal.Pattern}/ was not among what it said",
                $"look what it said: gantry logs {machine.Spec.Name}");
        }

        var (address, port) = GuestPorts.Find(node.Host, machine, goal.Port);
        using var limit = new CancellationTokenSource(AnswerLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return goal.Kind switch
            {
                WaitKind.Http => await LookHttpAsync(address, port, goal.Path, both.Token),
                WaitKind.Ssh => await LookSshAsync(address, port, both.Token),
                _ => await LookPortAsync(address, port, goal.Port, both.Token),
            };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "the port accepts connections, but nothing answers";
        }
        catch (Exception e) when (e is SocketException or HttpRequestException or IOException)
        {
            return e.Message;
        }
    }

    private async Task<string?> LookHttpAsync(string address, int port, string path, CancellationToken cancellationToken)
    {
        var host = address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;
        var uri = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{host}:{port}{path}"));
        using var answer = await http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        // A redirection leads to where the host may not get, and shows that the server works.
        return answer.StatusCode < HttpStatusCode.BadRequest
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"HTTP answers {(int)answer.StatusCode} {answer.ReasonPhrase}");
    }

    private static async Task<string?> LookSshAsync(string address, int port, CancellationToken cancellationToken)
    {
        using var socket = await ConnectAsync(address, port, cancellationToken);
        var buffer = new byte[256];
        var count = await socket.ReceiveAsync(buffer, cancellationToken);
        if (count == 0)
            return "the port is closed in the guest";
        // RFC 4253 lets other lines come first; no server in use sends any.
        return buffer.AsSpan(0, count).StartsWith("SSH-"u8)
            ? null
            : $"what answers is no SSH server: {Output.DisplayText.Clean(Encoding.Latin1.GetString(buffer, 0, count))}";
    }

    private async Task<string?> LookPortAsync(string address, int port, int guestPort, CancellationToken cancellationToken)
    {
        using var socket = await ConnectAsync(address, port, cancellationToken);
        using var limit = new CancellationTokenSource(CloseLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await socket.ReceiveAsync(new byte[1], both.Token) > 0 ? null : "the port is closed in the guest";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Silence: a server that lets its client speak first, or a guest that is not there yet.
        }

        var own = ((IPEndPoint)socket.LocalEndPoint!).Port;
        return await IsEstablishedAsync(guestPort, own, cancellationToken) ? null : "the guest does not answer on that port";
    }

    /// <summary>Whether QEMU's network has the guest's answer to this connection.</summary>
    private async Task<bool> IsEstablishedAsync(int guestPort, int ownPort, CancellationToken cancellationToken)
    {
        await using var guest = await node.Host.GetRunningAsync(machine, cancellationToken);
        try
        {
            return HasEstablished(
                await guest.Monitor.HumanMonitorAsync("info usernet", cancellationToken), guestPort, ownPort);
        }
        catch (Exception e) when (e is QmpException or QmpConnectionException or TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Rows are: protocol[state], descriptor, source address and port, destination address and port, queues. For
    /// a published port the source is the guest's side, the destination the client's.</summary>
    internal static bool HasEstablished(string table, int guestPort, int clientPort)
    {
        foreach (var line in table.Split('\n'))
        {
            var cells = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (cells is ["TCP[ESTABLISHED]", _, _, var source, _, var destination, ..]
                && source == guestPort.ToString(CultureInfo.InvariantCulture)
                && destination == clientPort.ToString(CultureInfo.InvariantCulture))
            {
                return true;
            }
        }

        return false;
    }

    private static async Task<Socket> ConnectAsync(string address, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, port, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
