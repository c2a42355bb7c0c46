using System.IO.Pipelines;
using System.Threading.Channels;
using Gantry.Machines.Guest;
using Gantry.Model;
using Gantry.Model.Nodes;
using Gantry.Storage;

namespace Gantry.Agent.Consoles;

/// <summary>
/// A command in the guest, or a login shell under a terminal there, over a login of its own. It begins at once; hanging
/// up ends it as <see cref="GuestShell"/> says.
/// </summary>
internal sealed class ExecChannel : IConsoleChannel
{
    /// <summary>Frames of output that wait to be received; then the library's thread that reads it waits.</summary>
    private const int MostWaiting = 16;

    private readonly GuestShell _shell;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<ConsoleFrame> _output = Channel.CreateBounded<ConsoleFrame>(MostWaiting);
    private readonly Pipe _input = new(new PipeOptions(
        pauseWriterThreshold: ConsoleFrame.MostBytes, resumeWriterThreshold: ConsoleFrame.MostBytes / 2,
        useSynchronizationContext: false));

    private readonly GuestLoginShell? _terminal;
    private readonly Task _running;
    private ConsoleFrame.Ended? _over;
    private bool _isInputClosed;

    private ExecChannel(GuestShell shell, GuestLoginShell? terminal, ConsoleRequest.Exec request, TimeProvider time)
    {
        _shell = shell;
        _terminal = terminal;
        _running = RunAsync(request, time);
    }

    /// <summary>Takes the login over, also when it fails.</summary>
    /// <exception cref="ProblemException">The guest gives no terminal.</exception>
    public static async Task<ExecChannel> OpenAsync(
        GuestShell shell, ConsoleRequest.Exec request, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            var terminal = request is { Command: null, Terminal: { } wanted }
                ? await GuestLoginShell.OpenAsync(shell, wanted.Type, wanted.Columns, wanted.Rows, cancellationToken)
                    .ConfigureAwait(false)
                : null;
            return new ExecChannel(shell, terminal, request, time);
        }
        catch
        {
            await shell.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask<ConsoleFrame> ReceiveAsync(CancellationToken cancellationToken)
    {
        if (_over is not null)
            return _over;
        var frame = await _output.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        _over = frame as ConsoleFrame.Ended;
        return frame;
    }

    public async ValueTask SendAsync(ConsoleFrame frame, CancellationToken cancellationToken)
    {
        if (frame is ConsoleFrame.Resize size)
        {
            _terminal?.Resize(size.Columns, size.Rows);
        }
        else if (frame is ConsoleFrame.EndOfInput)
        {
            _isInputClosed = true;
            await _input.Writer.CompleteAsync().ConfigureAwait(false);
        }
        else if (frame is ConsoleFrame.Data data && !_isInputClosed)
        {
            try
            {
                await _input.Writer.WriteAsync(data.Bytes, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // The command has ended while its input was full.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        // Its threads may be waiting for somebody to take their output.
        _output.Writer.TryComplete();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_terminal is not null)
            await _terminal.DisposeAsync().ConfigureAwait(false);
        await _shell.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync(ConsoleRequest.Exec request, TimeProvider time)
    {
        ConsoleEnd end;
        try
        {
            await using var input = _input.Reader.AsStream();
            await using var output = new FrameStream(_output.Writer, bytes => new ConsoleFrame.Data(bytes));
            await using var error = new FrameStream(_output.Writer, bytes => new ConsoleFrame.ErrorData(bytes));
            end = _terminal is not null
                ? new ConsoleEnd.Finished(
                    await _terminal.AttachAsync(input, output, time, _stop.Token).ConfigureAwait(false))
                : EndOf(await _shell.ExecuteAsync(
                    new GuestCommand { Text = request.Command!, Input = input }, output, error, _stop.Token)
                    .ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (Exception e)
        {
            // Whatever it is, whoever waits for the end must hear of it.
            end = new ConsoleEnd.Failed((e as ProblemException)?.Problem ?? new Problem
            {
                Kind = ProblemKind.Failed,
                Summary = $"the login to the guest broke: {e.Message}",
            });
        }

        await _input.Reader.CompleteAsync().ConfigureAwait(false);
        try
        {
            await _output.Writer.WriteAsync(new ConsoleFrame.Ended(end), _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            // Hung up.
        }
    }

    private static ConsoleEnd EndOf(ExitStatus status) => status.ShellCode is { } code
        ? new ConsoleEnd.Finished(code)
        : new ConsoleEnd.Failed(new Problem
        {
            Kind = ProblemKind.Unavailable,
            Summary = $"the connection was lost while the command ran: {status}; what it did is unknown",
        });

    /// <summary>
    /// Makes frames of what is written, and waits on the writer's thread until there is room for them.
    /// </summary>
    private sealed class FrameStream(ChannelWriter<ConsoleFrame> frames, Func<ReadOnlyMemory<byte>, ConsoleFrame> make)
        : WriteOnlyStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            while (buffer.Length > 0)
            {
                var piece = buffer[..Math.Min(buffer.Length, ConsoleFrame.MostBytes)];
                buffer = buffer[piece.Length..];
                try
                {
                    frames.WriteAsync(make(piece.ToArray())).AsTask().GetAwaiter().GetResult();
                }
                catch (ChannelClosedException e)
                {
                    throw new IOException("nobody takes the output any more", e);
                }
            }
        }
    }
}
