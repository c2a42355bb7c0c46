using Gantry.Imaging.Definitions;
using Gantry.Imaging.Provisioners;
using Gantry.Machines.Guest;
using Gantry.Machines.Run;
using Gantry.Model;

namespace Gantry.Imaging.Builds;

/// <summary>Ends a build's guest in an orderly way, so that its disks are whole.</summary>
internal static class GuestShutdown
{
    public static async Task RunAsync(
        QemuSource source, ProvisionContext context, BuildMachine machine, MachineHost host, BuildLog log, CancellationToken cancellationToken)
    {
        log.Activity("Shutting down");
        if (source.ShutdownCommand is { } command)
        {
            var shell = await context.ShellAsync(cancellationToken).ConfigureAwait(false);
            var status = await shell.ExecuteAsync(new GuestCommand { Text = command }, line => log.Output(line.Text), cancellationToken).ConfigureAwait(false);
            if (status is ExitStatus.Exited { Code: not 0 } failed)
                throw new ProblemException(ProblemKind.Failed, $"the shutdown command failed: {failed}", "check shutdown_command; sudo may want a password");
            await WaitAsync(source, machine, log, cancellationToken).ConfigureAwait(false);
        }
        else if (!await host.PowerDownAsync(machine.Guest, source.ShutdownTimeout, cancellationToken).ConfigureAwait(false))
        {
            throw TooLong(source, "the guest did not heed its power button");
        }
    }

    public static async Task WaitAsync(QemuSource source, BuildMachine machine, BuildLog log, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(source.ShutdownTimeout);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            var exit = await machine.Guest.WaitForExitAsync(both.Token).ConfigureAwait(false);
            log.Detail($"the machine ended: {exit.Reason}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw TooLong(source, "the machine still runs");
        }
    }

    private static ProblemException TooLong(QemuSource source, string what) => new(
        ProblemKind.TimedOut,
        $"{what} after {source.ShutdownTimeout.TotalSeconds:0} s",
        "give a shutdown_command that turns the guest off, or a longer shutdown_timeout");
}
