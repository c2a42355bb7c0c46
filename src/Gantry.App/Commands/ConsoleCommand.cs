using System.CommandLine;
using System.Net.Sockets;
using Gantry.App.Hosting;
using Gantry.Engines.Qemu;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary><c>gantry console</c>: a machine's serial line in the terminal.</summary>
internal static class ConsoleCommand
{
    public const string Summary = "Open a machine's serial console; leave it with Ctrl-]";

    private const int TailLength = 4096;
    private const byte Leave = 0x1d;

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var command = new Command("console", Summary) { machine };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            await RequireFreeAsync(node, record, cancellationToken);
            var paths = node.Host.PathsOf(record.Number);
            using var socket = await ConnectAsync(record, paths, cancellationToken);
            await AttachAsync(context, record, socket, paths, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>QEMU serves one client and lets others wait without a word, so it is asked first.</summary>
    private static async Task RequireFreeAsync(
        GantryNode node, MachineRecord machine, CancellationToken cancellationToken)
    {
        await using var guest = await node.Host.GetRunningAsync(machine, cancellationToken);
        try
        {
            var devices = await guest.Monitor.ExecuteAsync("query-chardev", null, cancellationToken);
            foreach (var device in devices.EnumerateArray())
            {
                // Without a client the description begins with "disconnected:".
                if (device.GetProperty("label").GetString() == "serial0"
                    && device.GetProperty("filename").GetString() is { } state
                    && !state.StartsWith("disconnected:", StringComparison.Ordinal))
                {
                    throw new ProblemException(
                        ProblemKind.Conflict,
                        $"somebody else is at the console of {machine.Spec.Name}",
                        $"leave it there (Ctrl-]); or read along here: gantry logs {machine.Spec.Name} --follow");
                }
            }
        }
        catch (Exception e) when (e is QmpException or QmpConnectionException or TimeoutException)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"{machine.Spec.Name} does not answer: {e.Message}", inner: e);
        }
    }

    private static async Task<Socket> ConnectAsync(
        MachineRecord machine, RunPaths paths, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(paths.Serial), cancellationToken);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"the serial console of {machine.Spec.Name} can't be reached: {e.Message}",
                $"gantry show {machine.Spec.Name} tells whether it still runs",
                inner: e);
        }
    }

    private static async Task AttachAsync(
        CommandContext context, MachineRecord machine, Socket socket, RunPaths paths, CancellationToken cancellationToken)
    {
        var terminal = context.Terminal;
        terminal.Out.Flush();
        var interactive = terminal.InIsTerminal;
        if (interactive)
            terminal.Error.Write($"The console of {machine.Spec.Name}. Leave it with Ctrl-]\n");
        await using var input = RawTerminal.OpenInput();
        await using var output = RawTerminal.OpenOutput();
        using var raw = interactive ? RawTerminal.TryOpen() : null;
        output.Write(Tail(paths.SerialLog));
        output.Flush();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var receiving = ReceiveAsync(socket, output, ended.Token);
        var sending = Task.Run(() => SendAsync(input, socket, interactive, ended.Token), CancellationToken.None);
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
        if (interactive)
            terminal.Error.Write(left ? "\nLeft the console\n" : $"\n{machine.Spec.Name} has stopped\n");
    }

    /// <summary>
    /// True when the person at the keyboard wants to leave; false when the input or the machine ended.
    /// </summary>
    private static async Task<bool> SendAsync(
        Stream input, Socket socket, bool interactive, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        try
        {
            int count;
            while ((count = await input.ReadAsync(buffer, cancellationToken)) > 0)
            {
                var end = interactive ? Array.IndexOf(buffer, Leave, 0, count) : -1;
                var part = buffer.AsMemory(0, end >= 0 ? end : count);
                while (part.Length > 0)
                    part = part[await socket.SendAsync(part, cancellationToken)..];
                if (end >= 0)
                    return true;
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The other side's end is what is reported.
        }

        return false;
    }

    private static async Task ReceiveAsync(Socket socket, Stream output, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int count;
            while ((count = await socket.ReceiveAsync(buffer, cancellationToken)) > 0)
            {
                await output.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                await output.FlushAsync(cancellationToken);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // A QEMU that is killed resets its connections.
        }
    }

    /// <summary>The last whole lines that the console said before now; empty when there are none.</summary>
    internal static byte[] Tail(string log)
    {
        try
        {
            using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var skipped = file.Length > TailLength;
            if (skipped)
                file.Seek(-TailLength, SeekOrigin.End);
            var bytes = new byte[TailLength];
            var count = file.ReadAtLeast(bytes, TailLength, throwOnEndOfStream: false);
            var start = skipped ? Array.IndexOf(bytes, (byte)'\n', 0, count) + 1 : 0;
            return bytes[start..count];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
