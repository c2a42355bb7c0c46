using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text;
using Gantry.App.Hosting;
using Gantry.App.Output;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary><c>gantry logs</c>: what a machine's serial console said, or QEMU itself.</summary>
internal static class LogsCommand
{
    public const string Summary = "Show what a machine said on its serial console";

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on as the machine says more, until it stops" };
        var qemu = new Option<bool>("--qemu") { Description = "What QEMU itself said instead" };
        var command = new Command("logs", Summary) { machine, follow, qemu };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            var paths = node.Host.PathsOf(record.Number);
            var path = parse.GetValue(qemu) ? paths.Log : paths.SerialLog;
            if (!File.Exists(path) && !(parse.GetValue(follow) && node.Host.IsAlive(record.Number)))
            {
                throw new ProblemException(
                    ProblemKind.NotFound,
                    $"{record.Spec.Name} has no such log: it has not been started yet",
                    $"start it: gantry start {record.Spec.Name}");
            }

            context.Terminal.Out.Flush();
            await using var output = RawTerminal.OpenOutput();
            var sink = new LogSink(output, clean: context.Terminal.OutIsTerminal);
            await CopyAsync(
                path, sink, parse.GetValue(follow) ? () => node.Host.IsAlive(record.Number) : null, context.Time,
                cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Copies a log; with <paramref name="alive"/>, until that says no and all was copied.</summary>
    internal static async Task CopyAsync(
        string path, LogSink sink, Func<bool>? alive, TimeProvider time, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        var position = 0L;
        while (true)
        {
            var last = alive is null || !alive();
            try
            {
                await using var file = new FileStream(
                    path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.Asynchronous);
                // Shorter than what was read: another run's log, or one that was cut to its bound.
                if (file.Length < position)
                    position = 0;
                file.Position = position;
                int count;
                while ((count = await file.ReadAsync(buffer, cancellationToken)) > 0)
                {
                    sink.Write(buffer.AsSpan(0, count));
                    position += count;
                }
            }
            catch (FileNotFoundException)
            {
                // The machine is just starting.
            }

            if (last)
                break;
            sink.Pause();
            await Task.Delay(LookInterval, time, cancellationToken);
        }

        sink.Finish();
    }
}

/// <summary>Writes a log: as it is for a pipe, line by line without what moves the cursor for a terminal.</summary>
internal sealed class LogSink(Stream output, bool clean)
{
    /// <summary>A guest may write for ever without a line's end.</summary>
    private const int LongestLine = 8 * 1024;

    private readonly List<byte> _line = [];
    private bool _shown;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (!clean)
        {
            output.Write(bytes);
            return;
        }

        foreach (var b in bytes)
        {
            if (b != '\n')
                _line.Add(b);
            if (b == '\n' || _line.Count >= LongestLine)
                EndLine();
        }
    }

    /// <summary>Nothing more comes for now: a prompt waits at the end of an open line.</summary>
    public void Pause()
    {
        if (_line.Count > 0 && !_shown)
        {
            output.Write(Encoding.UTF8.GetBytes(Text()));
            _shown = true;
        }

        output.Flush();
    }

    public void Finish()
    {
        if (_line.Count > 0)
            EndLine();
        output.Flush();
    }

    private void EndLine()
    {
        // What was shown of an open line is written over with the whole of it.
        output.Write(Encoding.UTF8.GetBytes((_shown ? "\r" : "") + Text() + "\n"));
        _line.Clear();
        _shown = false;
    }

    private string Text() => DisplayText.Clean(Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(_line)));
}
