using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.Imaging.PostProcessors;

/// <summary>
/// Runs a program on this host in a session of its own, so that ending it ends all that it started. No shell takes
/// part unless it is the program.
/// </summary>
public static partial class HostProcess
{
    private const int Terminate = 15;
    private const int Kill = 9;

    /// <summary>Between asking a cancelled program to end and ending it.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    /// <summary>Gives the exit code; 128 and the signal's number where a signal ended it.</summary>
    /// <param name="arguments">The program first.</param>
    /// <param name="environment">Added to this process' own.</param>
    /// <param name="onLine">Gets each line as it comes, never two at once.</param>
    /// <exception cref="ProblemException">The program can't be started.</exception>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, string workingFolder, IEnumerable<KeyValuePair<string, string>> environment,
        Action<OutputLine> onLine, TimeProvider time, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var process = Start(arguments, workingFolder, environment);
        process.StandardInput.Close();
        var gate = new Lock();
        var reading = Task.WhenAll(
            ReadAsync(process.StandardOutput.BaseStream, OutputKind.Standard, onLine, gate),
            ReadAsync(process.StandardError.BaseStream, OutputKind.Error, onLine, gate));
        try
        {
            await process.WaitForExitAsync(cancellationToken);
            // Something left behind may hold the outputs open for ever: a daemon that the program started.
            await Task.WhenAny(reading, Task.Delay(Grace, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
            if (reading.IsFaulted)
                await reading;
            return process.ExitCode;
        }
        catch
        {
            await EndAsync(process, time);
            throw;
        }
    }

    private static Process Start(
        IReadOnlyList<string> arguments, string workingFolder, IEnumerable<KeyValuePair<string, string>> environment)
    {
        // setsid(1) does not fork here, since a child of ours leads no group: the process is the session's leader.
        var start = new ProcessStartInfo("setsid", arguments)
        {
            WorkingDirectory = workingFolder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"could not run {arguments[0]} in {workingFolder}: {e.Message}",
                "see that the folder exists and that setsid (util-linux) is installed",
                inner: e);
        }
    }

    private static async Task ReadAsync(Stream stream, OutputKind kind, Action<OutputLine> onLine, Lock gate)
    {
        var splitter = new LineSplitter(text =>
        {
            lock (gate)
                onLine(new OutputLine(kind, text));
        });
        var buffer = new byte[16 * 1024];
        int count;
        while ((count = await stream.ReadAsync(buffer)) > 0)
            splitter.Write(buffer.AsSpan(0, count));
        splitter.Finish();
    }

    private static async Task EndAsync(Process process, TimeProvider time)
    {
        var group = -process.Id;
        _ = Signal(group, Terminate);
        try
        {
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(Grace, time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
        }

        // Also what its leader left behind in the group; a signal is sent before it has its effect.
        _ = Signal(group, Kill);
        await process.WaitForExitAsync(CancellationToken.None);
        for (var look = 0; look < 50 && Signal(group, 0) == 0; look++)
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, CancellationToken.None);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int processOrGroup, int signal);
}
