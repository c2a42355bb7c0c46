using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Gantry.Storage.Media;

/// <summary>Runs xorriso with an argument list: no shell, no start-up files, nothing on its input.</summary>
internal static partial class Xorriso
{
    private const int MaxErrorLines = 40;

    /// <param name="time">Stands in the image for the time of writing.</param>
    /// <param name="progress">Percent done.</param>
    /// <exception cref="MediaException">Not installed, or it failed: the message has its last lines.</exception>
    public static async Task RunAsync(
        IEnumerable<string> arguments,
        DateTimeOffset time,
        Action<double>? progress,
        CancellationToken cancellation,
        string program = "xorriso")
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Names go through as UTF-8 whatever the user's locale; the epoch makes runs repeatable (man xorriso).
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["SOURCE_DATE_EPOCH"] = time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        start.Environment["TZ"] = "UTC";
        using Process process = Start(start, program);
        process.StandardInput.Close();
        try
        {
            Task<string> output = ReadTailAsync(process.StandardOutput, null, cancellation);
            Task<string> errors = ReadTailAsync(process.StandardError, progress, cancellation);
            await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
            await output.ConfigureAwait(false);
            string tail = await errors.ConfigureAwait(false);
            if (process.ExitCode != 0)
                throw new MediaException($"xorriso could not write the image (exit code {process.ExitCode}):\n{tail}");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                // It must be gone before its half-written file is deleted.
                await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private static Process Start(ProcessStartInfo start, string program)
    {
        try
        {
            return Process.Start(start) ?? throw new MediaException($"'{program}' could not be started");
        }
        catch (Win32Exception error)
        {
            throw new MediaException(
                $"changing an installer ISO needs the program '{program}', which could not be started "
                + $"({error.Message}); "
                + "install it, on Debian and Ubuntu with: apt-get install xorriso",
                error);
        }
    }

    private static async Task<string> ReadTailAsync(
        StreamReader reader, Action<double>? progress, CancellationToken cancellation)
    {
        var tail = new Queue<string>();
        while (await reader.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
        {
            if (Percent().Match(line) is { Success: true } match)
            {
                progress?.Invoke(double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
                continue;
            }
            if (line.Length == 0) continue;
            tail.Enqueue(line.Length > 500 ? line[..500] : line);
            if (tail.Count > MaxErrorLines) tail.Dequeue();
        }
        return string.Join('\n', tail);
    }

    [GeneratedRegex(@"UPDATE :.*?(\d+(?:\.\d+)?)% done", RegexOptions.CultureInvariant)]
    private static partial Regex Percent();
}
