using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gantry.Model;
using Renci.SshNet.Common;

namespace Gantry.Machines.Guest;

/// <summary>
/// Runs a command under a terminal. The library opens terminals for login shells only, so the command goes into a
/// script in the guest, which the login shell is told to become; marks that only the script can print, not the echo
/// of what was typed, tell its output from the shell's greeting and carry its exit code.
/// </summary>
internal sealed class GuestTerminalCommand(GuestShell shell)
{
    public async Task<ExitStatus> RunAsync(
        GuestCommand command, Action<OutputLine>? onLine, CancellationToken cancellationToken)
    {
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        var path = $"/tmp/gantry-{id}.sh";
        var script = $"rm -f {path}\necho 'begin-{id}'\n( {command.FullText}\n)\n"
            + $"code=$?\necho\necho \"end-{id}:$code\"\n";
        using (var content = new MemoryStream(Encoding.UTF8.GetBytes(script)))
        {
            var options = new TransferOptions { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
            await shell.UploadAsync(content, path, options, cancellationToken);
        }

        // No echo of the input, no CR before each LF: the output then is what the command wrote.
        var modes = new Dictionary<TerminalModes, uint> { [TerminalModes.ECHO] = 0, [TerminalModes.ONLCR] = 0 };
        await using var terminal = await GuestTerminal.OpenAsync(shell, "dumb", 200, 50, cancellationToken, modes);
        var output = new MarkedOutput(id, onLine, command.MaxLineLength);
        if (!terminal.Write(Encoding.UTF8.GetBytes($" stty -echo; exec sh {path}\n")))
            return new ExitStatus.Disconnected("the terminal closed before the command began");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (command.Input is { } input)
            _ = FeedAsync(terminal, input, output.Began, ended.Token);
        await terminal.ReadAsync(output.Write, cancellationToken);
        output.Finish();
        await ended.CancelAsync();
        return output.Code is { } code
            ? new ExitStatus.Exited(code)
            : new ExitStatus.Disconnected("the terminal closed before the command said how it ended");
    }

    /// <summary>Input typed before the script runs would go to the login shell.</summary>
    private static async Task FeedAsync(
        GuestTerminal terminal, Stream input, Task began, CancellationToken cancellationToken)
    {
        try
        {
            await began.WaitAsync(cancellationToken);
            await terminal.SendAsync(input, cancellationToken);
            // A terminal's end of input is a character.
            terminal.Write([4]);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The command's own end says what matters; a terminal's input is a person's.
        }
    }

    private sealed class MarkedOutput
    {
        private readonly string _begin;
        private readonly string _end;
        private readonly Action<OutputLine>? _onLine;
        private readonly LineSplitter _splitter;
        private readonly TaskCompletionSource _began = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _pendingEmpty;

        public MarkedOutput(string id, Action<OutputLine>? onLine, int maxLineLength)
        {
            _begin = $"begin-{id}";
            _end = $"end-{id}:";
            _onLine = onLine;
            _splitter = new LineSplitter(Take, maxLineLength);
        }

        public int? Code { get; private set; }

        public Task Began => _began.Task;

        public void Write(ReadOnlySpan<byte> bytes) => _splitter.Write(bytes);

        public void Finish() => _splitter.Finish();

        private void Take(string line)
        {
            if (!_began.Task.IsCompleted)
            {
                if (line.EndsWith(_begin, StringComparison.Ordinal))
                    _began.TrySetResult();
                return;
            }

            if (Code is not null)
                return;
            if (line.StartsWith(_end, StringComparison.Ordinal))
            {
                Code = int.TryParse(line.AsSpan(_end.Length), CultureInfo.InvariantCulture, out var code) ? code : null;
                return;
            }

            // The script ends a line that the command left open; where it left none, that is one empty line too many.
            if (_pendingEmpty)
                _onLine?.Invoke(new OutputLine(OutputKind.Standard, ""));
            _pendingEmpty = line.Length == 0;
            if (!_pendingEmpty)
                _onLine?.Invoke(new OutputLine(OutputKind.Standard, line));
        }
    }
}
