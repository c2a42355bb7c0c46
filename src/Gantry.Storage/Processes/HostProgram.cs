using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Gantry.Model;

namespace Gantry.Storage.Processes;

/// <summary>What a program of the host wrote and how it ended.</summary>
public sealed record HostProgramResult(int ExitCode, string Output, string Error);

/// <summary>Runs a program of the host with an argument list; never through a shell.</summary>
public static class HostProgram
{
    /// <summary>Characters kept of each of the two streams; what comes later is dropped.</summary>
    private const int LongestCapture = 1 << 20;

    /// <summary>
    /// Runs <paramref name="file"/> to its end. Cancellation kills it and its children, waits for its death, and then
    /// throws. <paramref name="onOutput"/> sees its standard output as it comes, in pieces,
    /// <paramref name="onError"/> its standard error; <paramref name="environment"/> is added to our own.
    /// </summary>
    /// <exception cref="ProblemException">The program is not installed; <paramref name="package"/> provides it.</exception>
    public static async Task<HostProgramResult> RunAsync(
        string file,
        IReadOnlyList<string> arguments,
        string package,
        CancellationToken cancellationToken,
        Action<string>? onOutput = null,
        string? workingFolder = null,
        Action<string>? onError = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(file)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = workingFolder ?? "/",
        };
        start.Environment["LC_ALL"] = "C";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        using var process = Launch(start, package);
        process.StandardInput.Close();
        var output = CaptureAsync(process.StandardOutput, onOutput);
        var error = CaptureAsync(process.StandardError, onError);
        try
        {
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        return new HostProgramResult(
            process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
    }

    private static Process Launch(ProcessStartInfo start, string package)
    {
        try
        {
            return Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start");
        }
        catch (Win32Exception e) when (e.NativeErrorCode is 2 or 13)
        {
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"the program {start.FileName} is needed and not installed",
                $"install it: apt-get install {package} (or your distribution's package with that program)",
                inner: e);
        }
    }

    private static async Task<string> CaptureAsync(StreamReader reader, Action<string>? onOutput)
    {
        var text = new StringBuilder();
        var buffer = new char[4096];
        int read;
        while ((read = await reader.ReadAsync(buffer).ConfigureAwait(false)) > 0)
        {
            onOutput?.Invoke(new string(buffer, 0, read));
            text.Append(buffer, 0, Math.Min(read, LongestCapture - text.Length));
        }

        return text.ToString();
    }
}
