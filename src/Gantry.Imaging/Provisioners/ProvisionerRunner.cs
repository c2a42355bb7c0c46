using Gantry.Imaging.Builds;
using Gantry.Imaging.Definitions;
using Gantry.Imaging.PostProcessors;
using Gantry.Model;

namespace Gantry.Imaging.Provisioners;

/// <summary>Runs one provisioner with its meta-arguments: the pause before it, its tries, its time limit.</summary>
public static class ProvisionerRunner
{
    public static async Task RunAsync(ProvisionerDefinition provisioner, ProvisionContext context, CancellationToken cancellationToken)
    {
        if (provisioner.PauseBefore > TimeSpan.Zero)
        {
            context.Log.Activity($"Pausing {provisioner.PauseBefore.TotalSeconds:0.#} s before {provisioner.Label}");
            await Task.Delay(provisioner.PauseBefore, context.Time, cancellationToken).ConfigureAwait(false);
        }

        for (var attempt = 0; ; attempt++)
        {
            context.Log.Activity(attempt == 0 ? $"Provisioning: {provisioner.Label}" : $"Provisioning: {provisioner.Label} (try {attempt + 1})");
            try
            {
                await RunOnceAsync(provisioner, context, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ProblemException e) when (attempt < provisioner.MaxRetries)
            {
                context.Log.Note($"{provisioner.Label}: {e.Problem.Summary}; trying again ({attempt + 1} of {provisioner.MaxRetries})");
            }
            catch (ProblemException e) when (provisioner.ContinueOnError)
            {
                context.Log.Note($"{provisioner.Label} failed, and the build goes on as it says: {e.Problem.Summary}");
                return;
            }
        }
    }

    private static async Task RunOnceAsync(ProvisionerDefinition provisioner, ProvisionContext context, CancellationToken cancellationToken)
    {
        if (provisioner.Timeout is not { } limit)
        {
            await DispatchAsync(provisioner, context, cancellationToken).ConfigureAwait(false);
            return;
        }

        using var timer = new CancellationTokenSource(limit, context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            await DispatchAsync(provisioner, context, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(
                ProblemKind.TimedOut, $"{provisioner.Label} took longer than its timeout of {limit.TotalSeconds:0.#} s", "give it more time, or find what it waits for in its output");
        }
    }

    private static Task DispatchAsync(ProvisionerDefinition provisioner, ProvisionContext context, CancellationToken cancellationToken) =>
        provisioner.Options(context.Variables) switch
        {
            ProvisionerOptions.Shell shell => new ShellProvisioner(shell, context).RunAsync(cancellationToken),
            ProvisionerOptions.File file => new FileProvisioner(file, context).RunAsync(cancellationToken),
            ProvisionerOptions.ShellLocal local => new ShellLocalRunner(context.Time).RunAsync(
                local, context.BuildName, context.BuilderType, Environment.CurrentDirectory, [], line => context.Log.Output(line.Text), cancellationToken),
            ProvisionerOptions.Sleep sleep => Task.Delay(sleep.Duration, context.Time, cancellationToken),
            ProvisionerOptions.Breakpoint breakpoint => BreakAsync(breakpoint, context, cancellationToken),
            _ => throw new InvalidOperationException($"unknown provisioner {provisioner.Type}"),
        };

    private static async Task BreakAsync(ProvisionerOptions.Breakpoint breakpoint, ProvisionContext context, CancellationToken cancellationToken)
    {
        if (breakpoint.Disabled)
            return;
        context.Log.Note($"Breakpoint{(breakpoint.Note.Length > 0 ? $" ({breakpoint.Note})" : "")}: press Enter to go on");
        await Task.Run(Console.In.ReadLine, cancellationToken).ConfigureAwait(false);
    }
}
