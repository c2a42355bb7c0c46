using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Gantry.App.Prerequisites;

internal sealed partial class HostSoftware(Func<string, string?> environment) : IHostSoftware
{
    // Where an ordinary user's PATH does not lead, though the programs there can be run.
    private static readonly string[] SystemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/libexec"];

    public bool IsRoot => Environment.IsPrivilegedProcess;

    public string OsRelease
    {
        get
        {
            foreach (var path in (ReadOnlySpan<string>)["/etc/os-release", "/usr/lib/os-release"])
            {
                if (File.Exists(path))
                    return File.ReadAllText(path);
            }

            return "";
        }
    }

    public bool HasPackageLists =>
        Directory.Exists("/var/lib/apt/lists") && Directory.EnumerateFiles("/var/lib/apt/lists", "*_Packages*").Any();

    public bool Exists(string probe) =>
        probe.StartsWith('/')
            ? File.Exists(probe)
            : (environment("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
                .Concat(SystemFolders)
                .Any(folder => IsExecutable(Path.Combine(folder, probe)));

    public async Task<int> RunAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        start.Environment["LC_ALL"] = "C.UTF-8";
        using var process = new Process { StartInfo = start };
        var gate = new Lock();
        void Received(object sender, DataReceivedEventArgs e)
        {
            if (e.Data is null)
                return;
            lock (gate)
                line(e.Data);
        }

        process.OutputDataReceived += Received;
        process.ErrorDataReceived += Received;
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        // A package manager that is stopped half-way leaves a broken system: once begun, it is waited for.
        await process.WaitForExitAsync(CancellationToken.None);
        cancel.ThrowIfCancellationRequested();
        return process.ExitCode;
    }

    private static bool IsExecutable(string path)
    {
        const int X_OK = 1;
        return File.Exists(path) && access(path, X_OK) == 0;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int access(string path, int mode);
}
