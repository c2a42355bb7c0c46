using System.Text;
using Gantry.Imaging.BootCommand;

namespace Gantry.Imaging.Builds;

/// <summary>
/// Follows the file that QEMU logs a machine's serial console to, and hands on each line as it ends, cleaned of what
/// only a terminal understands.
/// </summary>
public sealed class SerialFollower : IAsyncDisposable
{
    private const int LongestLine = 400;
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    /// <summary>What was said, for patterns that are waited for.</summary>
    public SerialTranscript Transcript { get; } = new();

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public SerialFollower(string path, Action<string> onLine, TimeProvider time) =>
        _loop = FollowAsync(path, onLine, time, _stop.Token);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task FollowAsync(string path, Action<string> onLine, TimeProvider time, CancellationToken cancellationToken)
    {
        long position = 0;
        var line = new StringBuilder();
        var buffer = new byte[16 * 1024];
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (File.Exists(path))
                {
                    await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                    if (file.Length < position)
                        position = 0; // begun anew
                    file.Position = position;
                    int read;
                    while ((read = await file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
                    {
                        position += read;
                        Transcript.Append(buffer.AsSpan(0, read));
                        Take(buffer.AsSpan(0, read), line, onLine);
                    }
                }

                await Task.Delay(Period, time, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (IOException)
            {
                // The next look may succeed; a lost line of progress is no reason to fail a build.
            }
        }
    }

    private static void Take(ReadOnlySpan<byte> bytes, StringBuilder line, Action<string> onLine)
    {
        foreach (var c in Encoding.UTF8.GetString(bytes))
        {
            if (c != '\n' && line.Length < LongestLine)
            {
                line.Append(c);
                continue;
            }

            var text = TerminalText.Clean(line.ToString());
            line.Clear();
            if (c != '\n')
                line.Append(c);
            if (text.Length > 0)
                onLine(text);
        }
    }
}

/// <summary>Text that a guest wrote for a terminal, made fit for a log.</summary>
public static class TerminalText
{
    /// <summary>
    /// Without escape sequences and control characters; of a line that was overwritten, the last state.
    /// </summary>
    public static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\u001b')
                i = EndOfSequence(text, i);
            else if (c == '\r' && i < text.Length - 1 && text[(i + 1)..].Any(later => later >= ' '))
                clean.Clear();
            else if (c == '\t')
                clean.Append(' ');
            else if (!char.IsControl(c) && c != '\ufffd')
                clean.Append(c);
        }

        return clean.ToString().Trim();
    }

    /// <summary>
    /// The index of the last character of the escape sequence that begins at <paramref name="start"/>.
    /// </summary>
    private static int EndOfSequence(string text, int start)
    {
        if (start + 1 >= text.Length)
            return start;
        if (text[start + 1] is ']')
        {
            var end = text.IndexOf('\a', start);
            return end < 0 ? text.Length - 1 : end;
        }

        if (text[start + 1] is not '[')
        {
            // Such as the choice of a character set, ESC ( B: what stands between is no text either.
            var last = start + 1;
            while (last < text.Length - 1 && text[last] is >= ' ' and <= '/')
                last++;
            return last;
        }

        for (var i = start + 2; i < text.Length; i++)
        {
            if (text[i] is >= '@' and <= '~')
                return i;
        }

        return text.Length - 1;
    }
}
