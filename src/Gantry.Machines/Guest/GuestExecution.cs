using System.Net.Sockets;
using System.Text;
using Gantry.Model;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Gantry.Machines.Guest;

/// <summary>Runs one command over a connection, with its inputs and outputs as bytes.</summary>
internal sealed class GuestExecution(SshClient client, TimeProvider time)
{
    /// <summary>
    /// The library keeps what was not read yet and never makes the guest wait. A reader that falls this far behind
    /// (bytes) ends the command instead of the host's memory.
    /// </summary>
    private const long MaxBacklog = 256L * 1024 * 1024;

    private static readonly TimeSpan InputGrace = TimeSpan.FromSeconds(1);

    public async Task<ExitStatus> RunAsync(
        string text, Stream? input, ByteSink onOutput, ByteSink onError, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!client.IsConnected)
            return new ExitStatus.Disconnected("it was closed before the command began");
        using var command = client.CreateCommand(text, Encoding.UTF8);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task execution;
        try
        {
            execution = await Task.Run(() => Start(command), CancellationToken.None);
        }
        catch (Exception e) when (IsLoss(e))
        {
            return new ExitStatus.Disconnected(e.Message);
        }
        catch (SshException e)
        {
            throw Refused(e);
        }

        var cancelling = Task.CompletedTask;
        await using var registration = stop.Token.Register(() => cancelling = Task.Run(() => Cancel(command)));
        var readers = Task.WhenAll(
            ReadAsync(command.OutputStream, onOutput, stop), ReadAsync(command.ExtendedOutputStream, onError, stop));
        using var fed = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        var feeding = Task.Run(() => FeedAsync(command, input, stop, fed.Token), CancellationToken.None);
        var status = await EndAsync(command, execution);
        await readers;
        await registration.DisposeAsync();
        await cancelling;
        await fed.CancelAsync();
        await AwaitInputAsync(feeding);
        cancellationToken.ThrowIfCancellationRequested();
        return status;
    }

    /// <summary>
    /// Opens the channel and sends the request, which blocks; the returned task is the command's end.
    /// </summary>
    private static Task<Task> Start(SshCommand command) =>
        Task.FromResult(command.ExecuteAsync(CancellationToken.None));

    private static async Task<ExitStatus> EndAsync(SshCommand command, Task execution)
    {
        try
        {
            await execution;
        }
        catch (OperationCanceledException)
        {
            // Ours: the caller sees its own token, or the failure that made us stop.
            return new ExitStatus.Disconnected("the command was stopped");
        }
        catch (Exception e) when (IsLoss(e))
        {
            return new ExitStatus.Disconnected(e.Message);
        }
        catch (SshException e)
        {
            throw Refused(e);
        }

        if (command.ExitStatus is { } code)
            return new ExitStatus.Exited(code);
        return command.ExitSignal is { Length: > 0 } signal
            ? new ExitStatus.Signaled(signal)
            : new ExitStatus.Disconnected("the guest closed the command's channel without saying how it ended");
    }

    /// <summary>A thread of its own: the library's streams can only be read by blocking.</summary>
    private static Task ReadAsync(Stream stream, ByteSink sink, CancellationTokenSource stop) => Task.Factory.StartNew(
        () =>
        {
            var buffer = new byte[32 * 1024];
            try
            {
                int count;
                while ((count = stream.Read(buffer, 0, buffer.Length)) > 0)
                {
                    sink(buffer.AsSpan(0, count));
                    if (stream.Length > MaxBacklog)
                    {
                        throw new ProblemException(
                            ProblemKind.Failed,
                            $"the command wrote faster than its output could be read ({MaxBacklog >> 20} MiB behind)",
                            "write less, or into a file in the guest");
                    }
                }
            }
            catch
            {
                stop.Cancel();
                throw;
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    private async Task FeedAsync(
        SshCommand command, Stream? source, CancellationTokenSource stop, CancellationToken cancellationToken)
    {
        using var input = CommandInput.Open(command, time);
        if (input is null || source is null)
            return;
        var buffer = new byte[32 * 1024];
        while (true)
        {
            int count;
            try
            {
                count = await source.ReadAsync(buffer, cancellationToken);
            }
            catch (IOException)
            {
                await stop.CancelAsync();
                throw;
            }

            if (count == 0 || !await input.TryWriteAsync(buffer.AsMemory(0, count), cancellationToken))
                return;
        }
    }

    /// <summary>
    /// A person's keyboard or a window that never opened may hold the feeder for ever, after its command has ended;
    /// its failure to read a file must not be lost.
    /// </summary>
    private async Task AwaitInputAsync(Task feeding)
    {
        try
        {
            await feeding.WaitAsync(InputGrace, time);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            _ = feeding.ContinueWith(
                t => t.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private static void Cancel(SshCommand command)
    {
        try
        {
            command.CancelAsync(forceKill: false, millisecondsTimeout: 500);
        }
        catch (Exception e) when (IsLoss(e) || e is SshException or InvalidOperationException)
        {
            // It ended or the connection went; either way there is nothing left to cancel.
        }
    }

    internal static bool IsLoss(Exception e) =>
        e is SshConnectionException or SshOperationTimeoutException or SocketException or ObjectDisposedException
            or IOException;

    private static ProblemException Refused(SshException e) => new(
        ProblemKind.Failed,
        $"the guest's SSH server refused to run a command: {e.Message}",
        "check that the account has a shell and that its key or the server's settings do not force a command",
        inner: e);
}
