using Gantry.Engines.Linux;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu;

/// <summary>A machine's TPM: a swtpm process that ends when its QEMU closes the connection.</summary>
internal static class SoftwareTpm
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <summary>Starts it and returns when its socket can be connected to.</summary>
    /// <exception cref="ProblemException">It is not installed, or did not come up.</exception>
    public static async Task<ChildProcess> StartAsync(
        TpmSpec tpm, string stateDirectory, RunPaths run, TimeProvider clock, CancellationToken cancellationToken)
    {
        var program = Programs.Find("swtpm") ?? throw new ProblemException(
            ProblemKind.Unavailable,
            "the machine has a TPM, but swtpm is not installed",
            IsaProfiles.SoftwareTpm.InstallLine());
        Directory.CreateDirectory(stateDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Delete(run.Tpm);
        List<string> arguments =
        [
            "socket",
            "--tpmstate", $"dir={stateDirectory},mode=0600",
            "--ctrl", $"type=unixio,path={run.Tpm},mode=0600",
            "--terminate",
        ];
        if (!tpm.Version12)
            arguments.Add("--tpm2");
        var child = Spawner.Start(new SpawnRequest { Program = program, Arguments = arguments, LogPath = run.TpmLog });
        var started = clock.GetTimestamp();
        while (!File.Exists(run.Tpm))
        {
            var ended = child.Exited.IsCompleted;
            if (ended || clock.GetElapsedTime(started) > Deadline)
            {
                using (var process = ProcessHandle.TryOpen(child.Pid))
                {
                    if (!ended)
                        process?.TrySignal(Libc.SigKill);
                }
                throw new ProblemException(
                    ProblemKind.Failed, "the machine's TPM (swtpm) did not come up",
                    detail: QemuFailures.Tail(QemuFailures.ReadTail(run.TpmLog)));
            }
            await Task.Delay(TimeSpan.FromMilliseconds(5), clock, cancellationToken).ConfigureAwait(false);
        }
        return child;
    }
}
