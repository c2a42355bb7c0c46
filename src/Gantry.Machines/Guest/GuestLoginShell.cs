using System.Security.Cryptography;
using System.Text;
using Gantry.Model;

namespace Gantry.Machines.Guest;

/// <summary>
/// A login shell under a terminal for a person, whose exit code comes back. The library keeps a terminal's exit code to
/// itself, so the server's shell is told to become a small script that runs the person's shell and says in a mark, which
/// terminals do not show, how it ended.
/// </summary>
public sealed class GuestLoginShell : IAsyncDisposable
{
    /// <summary>A server's shell that has not begun the script by then will not do so: it is left as it is.</summary>
    private static readonly TimeSpan BeginLimit = TimeSpan.FromSeconds(10);

    private readonly GuestTerminal _terminal;
    private readonly string? _id;

    private GuestLoginShell(GuestTerminal terminal, string? id)
    {
        _terminal = terminal;
        _id = id;
    }

    /// <param name="shell">Where to open it.</param>
    /// <param name="terminal">The terminal's type: <c>xterm-256color</c>.</param>
    /// <param name="columns">1 to 10,000 characters.</param>
    /// <param name="rows">1 to 10,000 lines.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="ProblemException">The guest gives no terminal.</exception>
    public static async Task<GuestLoginShell> OpenAsync(
        GuestShell shell, string terminal, int columns, int rows, CancellationToken cancellationToken)
    {
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        var hasScript = await UploadAsync(shell, id, cancellationToken).ConfigureAwait(false);
        var opened = await shell.OpenTerminalAsync(terminal, columns, rows, cancellationToken).ConfigureAwait(false);
        if (hasScript)
            opened.Write(Encoding.ASCII.GetBytes($" exec sh {PathOf(id)}\n"));
        return new GuestLoginShell(opened, hasScript ? id : null);
    }

    /// <summary>Copies between the guest and two local streams until the shell ends.</summary>
    /// <returns>Its exit code; null when the guest did not say.</returns>
    public async Task<int?> AttachAsync(
        Stream input, Stream output, TimeProvider time, CancellationToken cancellationToken)
    {
        if (_id is null)
        {
            await _terminal.AttachAsync(input, output, cancellationToken).ConfigureAwait(false);
            return null;
        }

        var filtered = new LoginShellOutput(_id, output);
        using var limit = time.CreateTimer(_ => filtered.GiveUp(), null, BeginLimit, Timeout.InfiniteTimeSpan);
        await _terminal.AttachAsync(input, filtered, cancellationToken).ConfigureAwait(false);
        filtered.Finish();
        return filtered.ExitCode;
    }

    /// <summary>Tells the guest that the window has another size, in characters.</summary>
    public void Resize(int columns, int rows) => _terminal.Resize(columns, rows);

    public ValueTask DisposeAsync() => _terminal.DisposeAsync();

    private static string PathOf(string id) => $"/tmp/.gantry-{id}";

    private static async Task<bool> UploadAsync(GuestShell shell, string id, CancellationToken cancellationToken)
    {
        // A trap, unlike an ignored signal, is not inherited by what the person runs.
        var script = $$"""
            rm -f {{PathOf(id)}}
            trap : INT QUIT
            printf '\033]gantry;{{id}};begin\007'
            "${SHELL:-/bin/sh}" -l
            code=$?
            printf '\033]gantry;{{id}};end;%s\007' "$code"
            exit "$code"

            """;
        try
        {
            using var content = new MemoryStream(Encoding.UTF8.GetBytes(script));
            var options = new TransferOptions { Method = TransferMethod.Shell, Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
            await shell.UploadAsync(content, PathOf(id), options, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ProblemException)
        {
            // A guest without a /tmp that one can write to gets a plain shell.
            return false;
        }
    }
}
