using System.CommandLine;
using System.Globalization;
using System.Net.Sockets;
using System.Net.WebSockets;
using Gantry.Agent.Consoles;
using Gantry.App.Client;
using Gantry.App.Hosting;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary><c>gantry console</c>: a machine's serial line in the terminal.</summary>
internal static class ConsoleCommand
{
    public const string Summary = "Open a machine's serial console; leave it with Ctrl-]";

    /// <summary>Bytes of what was said before: about a screen.</summary>
    private const int ScrollBack = 4096;

    private const byte Leave = 0x1d;

    /// <summary>How the node says that a machine has stopped (docs/consoles.md).</summary>
    private const int MachineStopped = 4000;

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var command = new Command("console", Summary) { machine };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            // The node holds the line while others watch it; it leaves builds' machines alone.
            using var client = record.Role == MachineRole.Ordinary
                ? await NodeStarter.FindAsync(cancellationToken) : null;
            if (client is not null)
                await AttachToNodeAsync(context, client, record, cancellationToken);
            else
                await AttachToQemuAsync(context, node, record, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>With all others who watch it, here or in a browser.</summary>
    private static async Task AttachToNodeAsync(
        CommandContext context, NodeClient node, MachineRecord machine, CancellationToken cancellationToken)
    {
        var answer = await node.PostAsync(
            string.Create(CultureInfo.InvariantCulture, $"machines/{machine.Number.Value}/console"),
            string.Create(CultureInfo.InvariantCulture, $$"""{"kind":"serial","scrollBack":{{ScrollBack}}}"""),
            cancellationToken);
        using var socket = await node.OpenWebSocketAsync(answer.GetProperty("path").GetString()!, cancellationToken);
        await using var line = WebSocketStream.Create(socket, WebSocketMessageType.Binary);
        if (await AttachAsync(context, machine, line, [], cancellationToken))
            return;
        if (socket.CloseStatus is not (WebSocketCloseStatus)MachineStopped)
        {
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"the console of {machine.Spec.Name} was closed: {socket.CloseStatusDescription ?? "the node is gone"}",
                $"gantry console {machine.Spec.Name} opens it again");
        }

        SayStopped(context, machine);
    }

    /// <summary>No node serves: QEMU itself has room for one.</summary>
    private static async Task AttachToQemuAsync(
        CommandContext context, GantryNode node, MachineRecord machine, CancellationToken cancellationToken)
    {
        var port = new QemuSerialPort(node.Host, machine, context.Time);
        using var socket = await port.ConnectAsync(cancellationToken);
        await using var line = new NetworkStream(socket);
        if (!await AttachAsync(context, machine, line, port.ReadLog(ScrollBack), cancellationToken))
            SayStopped(context, machine);
    }

    private static void SayStopped(CommandContext context, MachineRecord machine)
    {
        if (context.Terminal.InIsTerminal)
            context.Terminal.Error.Write($"\n{machine.Spec.Name} has stopped\n");
    }

    /// <summary>True when the person at the keyboard left; false when the line ended.</summary>
    private static async Task<bool> AttachAsync(
        CommandContext context, MachineRecord machine, Stream line, byte[] before, CancellationToken cancellationToken)
    {
        var terminal = context.Terminal;
        terminal.Out.Flush();
        var interactive = terminal.InIsTerminal;
        if (interactive)
            terminal.Error.Write($"The console of {machine.Spec.Name}. Leave it with Ctrl-]\n");
        await using var input = RawTerminal.OpenInput();
        await using var output = RawTerminal.OpenOutput();
        using var raw = interactive ? RawTerminal.TryOpen() : null;
        output.Write(before);
        output.Flush();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var receiving = ReceiveAsync(line, output, ended.Token);
        var sending = Task.Run(() => SendAsync(input, line, interactive, ended.Token), CancellationToken.None);
        var first = await Task.WhenAny(receiving, sending);
        // A pipe that ends has said all it has to say; what the guest answers is still wanted.
        var left = first == sending && await sending;
        if (first == sending && !left)
            await receiving;
        await ended.CancelAsync();
        // A read from a keyboard can't be cancelled: it is left behind, its end observed.
        _ = sending.ContinueWith(
            task => task.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        raw?.Dispose();
        cancellationToken.ThrowIfCancellationRequested();
        if (left)
            terminal.Error.Write("\nLeft the console\n");
        return left;
    }

    /// <summary>
    /// True when the person at the keyboard wants to leave; false when the input or the machine ended.
    /// </summary>
    private static async Task<bool> SendAsync(
        Stream input, Stream line, bool interactive, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        try
        {
            int count;
            while ((count = await input.ReadAsync(buffer, cancellationToken)) > 0)
            {
                var end = interactive ? Array.IndexOf(buffer, Leave, 0, count) : -1;
                await line.WriteAsync(buffer.AsMemory(0, end >= 0 ? end : count), cancellationToken);
                if (end >= 0)
                    return true;
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The other side's end is what is reported.
        }

        return false;
    }

    private static async Task ReceiveAsync(Stream line, Stream output, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int count;
            while ((count = await line.ReadAsync(buffer, cancellationToken)) > 0)
            {
                await output.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                await output.FlushAsync(cancellationToken);
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // A QEMU that is killed resets its connections.
        }
    }

    private static bool IsEnd(Exception e) =>
        e is SocketException or WebSocketException or OperationCanceledException
            or IOException or ObjectDisposedException;
}
