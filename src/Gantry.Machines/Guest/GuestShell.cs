using System.Text;
using Gantry.Model;
using Renci.SshNet;

namespace Gantry.Machines.Guest;

/// <summary>
/// A logged-in connection to a guest: commands, files and terminals over it. Several commands may run at once.
/// Dispose it to log out. It never logs in again by itself: after a reboot, wait for a new one.
/// </summary>
public sealed class GuestShell : IAsyncDisposable
{
    /// <summary>Bounds what <see cref="RunAsync"/> keeps of each output.</summary>
    public const int MaxResultLength = 4 * 1024 * 1024;

    private readonly SshSession _session;
    private readonly TimeProvider _time;
    private readonly GuestFiles _files;

    internal GuestShell(SshSession session, SshTarget target, TimeProvider time)
    {
        _session = session;
        _time = time;
        Target = target with { ExpectedHostKey = session.HostKey };
        _files = new GuestFiles(this, time);
    }

    /// <summary>Where this is connected to; its expected host key is the one the guest showed.</summary>
    public SshTarget Target { get; }

    /// <summary>The key that the guest's server proved to have.</summary>
    public SshHostKey HostKey => _session.HostKey;

    /// <summary>The server's identification: <c>SSH-2.0-OpenSSH_9.2p1 Debian-2</c>.</summary>
    public string Server => _session.Server;

    public bool IsConnected => _session.Client.IsConnected;

    internal SshClient Client => _session.Client;

    /// <summary>One attempt; see <see cref="SshWaiter"/> for a guest that still boots.</summary>
    /// <exception cref="ProblemException">It did not come about; the summary says why.</exception>
    public static async Task<GuestShell> ConnectAsync(
        SshTarget target, TimeProvider time, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var limit = TimeSpan.FromTicks(Math.Max(target.SilenceLimit.Ticks, TimeSpan.FromSeconds(10).Ticks));
        var (session, met) = await SshConnector.TryAsync(target, limit, time, cancellationToken);
        if (session is not null)
            return new GuestShell(session, target, time);
        var diagnosis = new SshDiagnosis();
        diagnosis.Add(met, time.GetElapsedTime(start));
        throw diagnosis.ToProblem(target, time.GetElapsedTime(start));
    }

    /// <summary>
    /// Runs a command to its end. Cancelling sends it a TERM signal and closes its channel; OpenSSH before 9.8 passes
    /// no signals on to commands of root, which then run on in the guest until they write something.
    /// </summary>
    /// <param name="command">What to run.</param>
    /// <param name="onLine">Gets each line as it comes, never two at once; the command's output waits for it.</param>
    /// <param name="cancellationToken">Ends the command.</param>
    /// <exception cref="ProblemException">The server refused to run any command.</exception>
    public async Task<ExitStatus> ExecuteAsync(
        GuestCommand command, Action<OutputLine>? onLine, CancellationToken cancellationToken)
    {
        if (command.Terminal)
            return await new GuestTerminalCommand(this).RunAsync(command, onLine, cancellationToken);
        var gate = new Lock();
        var standard = Splitter(OutputKind.Standard);
        var error = Splitter(OutputKind.Error);
        var status = await ExecuteRawAsync(
            command.FullText, command.Input, standard.Write, error.Write, cancellationToken);
        standard.Finish();
        error.Finish();
        return status;

        LineSplitter Splitter(OutputKind kind) => new(
            text =>
            {
                lock (gate)
                    onLine?.Invoke(new OutputLine(kind, text));
            },
            command.MaxLineLength);
    }

    /// <summary>
    /// Runs a command to its end, its outputs byte for byte; cancelling as in the overload with lines.
    /// </summary>
    /// <param name="output">Gets each piece as it comes, flushed.</param>
    /// <param name="error">The same; may be the same stream, since pieces never come two at once.</param>
    /// <exception cref="ProblemException">The server refused to run any command.</exception>
    public Task<ExitStatus> ExecuteAsync(
        GuestCommand command, Stream output, Stream error, CancellationToken cancellationToken)
    {
        var gate = new Lock();
        return ExecuteRawAsync(
            command.FullText, command.Input, bytes => Write(output, bytes), bytes => Write(error, bytes),
            cancellationToken);

        void Write(Stream stream, ReadOnlySpan<byte> bytes)
        {
            lock (gate)
            {
                stream.Write(bytes);
                stream.Flush();
            }
        }
    }

    /// <summary>Runs a short command and keeps what it says, at most <see cref="MaxResultLength"/> bytes of each
    /// output.</summary>
    /// <exception cref="ProblemException">The server refused to run it.</exception>
    public async Task<GuestCommandResult> RunAsync(string command, CancellationToken cancellationToken)
    {
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        var status = await ExecuteRawAsync(
            command, null, bytes => Keep(output, bytes), bytes => Keep(error, bytes), cancellationToken);
        return new GuestCommandResult(status, Text(output), Text(error));

        static void Keep(MemoryStream kept, ReadOnlySpan<byte> bytes) =>
            kept.Write(bytes[..(int)Math.Min(bytes.Length, MaxResultLength - kept.Length)]);

        static string Text(MemoryStream kept) => Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length);
    }

    /// <summary>Writes a stream to a file in the guest, which is made or replaced.</summary>
    /// <param name="content">Read from where it stands to its end.</param>
    /// <param name="remotePath">A relative one begins in the login folder. An existing folder is refused.</param>
    /// <param name="cancellationToken">Stops; a part of the file may then be there.</param>
    /// <exception cref="ProblemException">The guest refused it, or got another number of bytes than were sent.</exception>
    public Task UploadAsync(
        Stream content, string remotePath, TransferOptions options, CancellationToken cancellationToken) =>
        _files.UploadAsync(content, remotePath, options, cancellationToken);

    /// <summary>
    /// Copies a local file or folder. A file goes into <paramref name="remotePath"/> where that is a folder or ends
    /// with a slash. Of a folder whose path ends with a slash the contents go into <paramref name="remotePath"/>;
    /// without one the folder itself does. Links are followed; missing folders are made.
    /// </summary>
    /// <exception cref="ProblemException">The source is missing, or the guest refused it.</exception>
    public Task UploadPathAsync(
        string localPath, string remotePath, TransferOptions options, CancellationToken cancellationToken) =>
        _files.UploadPathAsync(localPath, remotePath, options, cancellationToken);

    /// <summary>Reads a file of the guest into a stream.</summary>
    /// <exception cref="ProblemException">It is missing or unreadable, or less came than the guest announced.</exception>
    public Task DownloadAsync(
        string remotePath, Stream destination, TransferOptions options, CancellationToken cancellationToken) =>
        _files.DownloadAsync(remotePath, destination, options, cancellationToken);

    /// <summary>
    /// Copies a file or folder of the guest here, under the rules of <see cref="UploadPathAsync"/> turned around.
    /// Links are not made: what they point to in the guest is of no use here.
    /// </summary>
    /// <exception cref="ProblemException">The source is missing or unreadable, or holds names that lead elsewhere.</exception>
    public Task DownloadPathAsync(
        string remotePath, string localPath, TransferOptions options, CancellationToken cancellationToken) =>
        _files.DownloadPathAsync(remotePath, localPath, options, cancellationToken);

    /// <summary>Opens the login shell under a terminal, for a person.</summary>
    /// <param name="terminal">The terminal's type: <c>xterm-256color</c>.</param>
    /// <param name="columns">1 to 10,000 characters.</param>
    /// <param name="rows">1 to 10,000 lines.</param>
    public Task<GuestTerminal> OpenTerminalAsync(
        string terminal, int columns, int rows, CancellationToken cancellationToken) =>
        GuestTerminal.OpenAsync(this, terminal, columns, rows, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _files.DisposeAsync();
        // Logging out waits for the peer, without a way to do that asynchronously.
        await Task.Run(_session.Client.Dispose);
    }

    /// <summary>Runs a command with its outputs as bytes; each is called from one thread only.</summary>
    internal Task<ExitStatus> ExecuteRawAsync(
        string command, Stream? input, ByteSink onOutput, ByteSink onError, CancellationToken cancellationToken) =>
        new GuestExecution(_session.Client, _time).RunAsync(command, input, onOutput, onError, cancellationToken);
}

/// <summary>Takes bytes as they come; the span is good only during the call.</summary>
internal delegate void ByteSink(ReadOnlySpan<byte> bytes);
