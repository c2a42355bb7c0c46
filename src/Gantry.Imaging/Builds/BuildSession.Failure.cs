using Gantry.Imaging.Definitions;
using Gantry.Imaging.Provisioners;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage;
using Gantry.Storage.Volumes;

namespace Gantry.Imaging.Builds;

/// <summary>What a build does about failures: tries again, asks, explains, and leaves the machine for a look.</summary>
internal sealed partial class BuildSession
{
    private const string KeyName = "build-key";

    /// <summary>Below this a guest that stands still is taken to lack space on the host.</summary>
    private const long HardlyAnything = 64L << 20;

    private static readonly TimeSpan FaultInterval = TimeSpan.FromSeconds(1);

    private bool _asked;

    /// <summary>Says how a person opens the machine that a failed build left.</summary>
    public async Task TellHowToOpenAsync(MachineRecord machine, CancellationToken cancellationToken)
    {
        var name = machine.Spec.Name;
        var lines = new List<string> { $"The machine is kept as {name}:" };
        if (!_services.Host.IsAlive(machine.Number))
            lines.Add($"  gantry start {name}             (it is off)");
        lines.Add($"  gantry console {name}");
        if (Source.Communicator is { Kind: CommunicatorKind.Ssh, Host: null } communicator && _randoms is not null)
        {
            var how = communicator.Password is not null ? "--password"
                : communicator.PrivateKeyFile is { } file ? $"--key {file}"
                : $"--key {await KeepKeyAsync(machine, cancellationToken).ConfigureAwait(false)}";
            lines.Add($"  gantry ssh --user {communicator.User} {how} {name}");
        }

        lines.Add($"  gantry delete --force {name}    when you have seen enough");
        lines.ForEach(Log.Note);
    }

    private async Task<string> KeepKeyAsync(MachineRecord machine, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_services.Folders.MachineFolder(machine.Number), KeyName);
        await PrivateFile.WriteAsync(path, _randoms!.PrivateKey ?? "", cancellationToken).ConfigureAwait(false);
        return path;
    }

    private async Task RunProvisionerAsync(ProvisionerDefinition provisioner, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await ProvisionerRunner.RunAsync(provisioner, Provision(), cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ProblemException e)
            {
                if (await AskAsync(e.Problem, canRetry: true, cancellationToken).ConfigureAwait(false) == FailureAnswer.Retry)
                    continue;
                await CleanUpErrorAsync(cancellationToken).ConfigureAwait(false);
                throw;
            }
        }
    }

    /// <summary>
    /// Runs the template's <c>error-cleanup-provisioner</c>; its own failure does not hide the first one.
    /// </summary>
    private async Task CleanUpErrorAsync(CancellationToken cancellationToken)
    {
        if (_steps.ErrorCleanup is not { } cleanup)
            return;
        try
        {
            await ProvisionerRunner.RunAsync(cleanup, Provision(), cancellationToken).ConfigureAwait(false);
        }
        catch (ProblemException e)
        {
            Log.Note($"{cleanup.Label} failed too: {e.Problem.Summary}");
        }
    }

    /// <summary>What a person wants done about a failure; null where nobody is asked.</summary>
    private async Task<FailureAnswer?> AskAsync(Problem problem, bool canRetry, CancellationToken cancellationToken)
    {
        if (_options is not { OnError: OnError.Ask, Ask: { } ask } || _asked || _record is null)
            return null;
        var answer = await ask(
            new FailureQuestion(problem with { Detail = Log.Secrets.Apply(problem.Detail), Summary = Log.Secrets.Apply(problem.Summary) }, canRetry),
            cancellationToken).ConfigureAwait(false);
        _asked = answer != FailureAnswer.Retry;
        KeepsMachine = answer == FailureAnswer.Abort;
        return answer;
    }

    private async Task<ProblemException> FailedAsync(ProblemException e, CancellationToken cancellationToken)
    {
        if (_options.OnError == OnError.Abort)
            KeepsMachine = true;
        var explained = await ExplainAsync(e, cancellationToken).ConfigureAwait(false);
        await AskAsync(explained.Problem, canRetry: false, cancellationToken).ConfigureAwait(false);
        return explained;
    }

    private async Task<ProblemException> ExplainAsync(ProblemException e, CancellationToken cancellationToken)
    {
        var problem = e.Problem with { Summary = Log.Secrets.Apply(e.Problem.Summary) };
        if (_machine is null || cancellationToken.IsCancellationRequested)
            return new ProblemException(problem with { Detail = Log.Secrets.Apply(problem.Detail) }, e);
        var detail = problem.Detail;
        if (await _machine.LookAsync(cancellationToken).ConfigureAwait(false) is { } screen)
        {
            if (screen.Text.Trim().Length > 0)
                detail += $"\nThe screen showed:\n{Indent(screen.Text)}";
            if (await TryKeepPictureAsync(screen.Picture, cancellationToken).ConfigureAwait(false) is { } picture)
                detail += $"\nA picture of it: {picture}";
        }

        var serial = _machine.SerialTail(12);
        if (serial.Length > 0)
            detail += $"\nThe serial console's last lines:\n{Indent(serial)}";
        detail += $"\nThe build's log: {Path.Combine(_folder, BuildFolders.LogName)}";
        problem = problem with { Detail = Log.Secrets.Apply(detail.Trim()) };
        Log.Detail(problem.ToString());
        return new ProblemException(problem, e);
    }

    /// <summary>Where the picture is; null where even that finds no room.</summary>
    private async Task<string?> TryKeepPictureAsync(byte[] picture, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_folder, BuildFolders.PictureName);
        try
        {
            await File.WriteAllBytesAsync(path, picture, cancellationToken).ConfigureAwait(false);
            return path;
        }
        catch (IOException e)
        {
            Log.Detail($"no picture could be kept: {e.Message}");
            return null;
        }
    }

    /// <summary>
    /// Watches for a machine that QEMU stopped, because a disk can't be written or the guest's kernel gave up: nothing
    /// would ever answer again. Ends the part that waits for it, and gives the reason; null when nothing was the matter.
    /// </summary>
    private async Task<ProblemException?> WatchFaultAsync(CancellationTokenSource watched)
    {
        while (!watched.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(FaultInterval, _services.Time, watched.Token).ConfigureAwait(false);
                if (_machine is not { } machine
                    || await machine.Guest.PhaseAsync(watched.Token).ConfigureAwait(false) != MachinePhase.Faulted)
                {
                    continue;
                }
            }
            catch (Exception e) when (e is OperationCanceledException or ProblemException or ObjectDisposedException
                or Engines.Qemu.Monitor.QmpConnectionException)
            {
                continue; // it ended, or the part did: others notice that
            }

            var problem = FaultProblem();
            await watched.CancelAsync().ConfigureAwait(false);
            return problem;
        }

        return null;
    }

    private ProblemException FaultProblem()
    {
        var folder = _services.Folders.Volumes;
        var free = FileSpace.FreeBytes(folder);
        return free < HardlyAnything
            ? new ProblemException(
                ProblemKind.Unavailable,
                $"the disk is full: {folder} has {FileSpace.Words(free)} free, so the guest can't write and stands still",
                "free some space (gantry build cache prune helps), or set GANTRY_HOME to a larger file system, and build again")
            : new ProblemException(
                ProblemKind.Failed,
                "QEMU stopped the machine: a disk could not be read or written, or the guest's kernel gave up",
                "the last lines of the serial console may say which; QEMU's own words are in qemu.log in the machine's folder");
    }

    private static string Indent(string text) =>
        string.Join('\n', text.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0).Select(line => "    " + line));
}
