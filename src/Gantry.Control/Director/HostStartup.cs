using System.Collections.Immutable;
using Gantry.Control.Cache;
using Gantry.Control.Intents;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;
using Gantry.Scheduler.Reconcile;
using Microsoft.Extensions.Logging;

namespace Gantry.Control.Director;

/// <summary>
/// Starts the machines that are to start with their host: once for each boot of it, in their order, each when the one
/// before it runs and its delay has passed. A director that ends on the way is followed by the next one, from the first
/// machine that was not asked to start.
/// </summary>
public sealed partial class HostStartup(
    ClusterCache cache, IStateStore store, PowerDesk desk, TimeProvider time, ILogger log)
{
    /// <summary>What the intents say about who asked.</summary>
    public const string Asker = "host startup";

    /// <summary>A machine that hangs in its start must not keep all others from theirs.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly DocumentCollection<NodeStartup> _startups = RunningRecords.Startups(store);

    /// <summary>Looks after one node until it is cancelled or the store fails.</summary>
    public async Task RunAsync(string node, CancellationToken cancellationToken)
    {
        var done = Guid.Empty;
        while (true)
        {
            var view = await cache.WaitAsync(
                next => next.Nodes.GetValueOrDefault(node) is { } status && status.Value.Boot != done,
                cancellationToken)
                .ConfigureAwait(false);
            done = view.Nodes[node].Value.Boot;
            await StartAsync(node, done, view, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task StartAsync(string node, Guid boot, ClusterView view, CancellationToken cancellationToken)
    {
        var written = await _startups.GetAsync(node, cancellationToken).ConfigureAwait(false);
        if (written?.Value.Boot != boot)
        {
            var begun = new NodeStartup
            {
                Node = node,
                Boot = boot,
                Waiting = BootOrder.Up(view.MachinesOn(node)).ToValueList(),
            };
            written = written is null
                ? await _startups.CreateAsync(node, begun, cancellationToken).ConfigureAwait(false)
                : await _startups.ReplaceAsync(written, begun, cancellationToken).ConfigureAwait(false);
        }

        // Null: another director came first, and does the rest.
        while (written is { Value.Waiting: [var next, ..] })
        {
            var delay = await StartOneAsync(next, cancellationToken).ConfigureAwait(false);
            var after = written.Value with { Waiting = written.Value.Waiting.Skip(1).ToValueList() };
            written = await _startups.ReplaceAsync(written, after, cancellationToken).ConfigureAwait(false);
            if (after.Waiting.Count > 0)
                await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Returns when it runs or has failed to.</summary>
    /// <returns>How long the next one is to wait.</returns>
    private async Task<TimeSpan> StartOneAsync(MachineNumber number, CancellationToken cancellationToken)
    {
        if (cache.View.Machines.GetValueOrDefault(number)?.Value is not { Spec.Autostart: { } autostart } machine)
            return TimeSpan.Zero;
        try
        {
            var admission = await desk.AdmitAsync(
                number, new PowerRequest { Wanted = PowerState.Running }, Asker, cancellationToken)
                .ConfigureAwait(false);
            var settled = await cache.WaitAsync(
                view => view.HasSettled(machine, admission.Sequence), Patience, time, cancellationToken)
                .ConfigureAwait(false);
            if (settled is null)
            {
                Slow(log, machine.Spec.Name, Patience);
            }
            else if (settled.Status(machine)?.Problem is { } problem)
            {
                Failed(log, machine.Spec.Name, problem.Summary);
                return TimeSpan.Zero;
            }
        }
        catch (ProblemException e)
        {
            Failed(log, machine.Spec.Name, e.Problem.Summary);
            return TimeSpan.Zero;
        }

        return TimeSpan.FromSeconds(autostart.DelaySeconds);
    }

    [LoggerMessage(LogLevel.Error, "{Machine} was to start with the host, and could not: {Reason}")]
    private static partial void Failed(ILogger log, string machine, string reason);

    [LoggerMessage(LogLevel.Warning, "{Machine} was to start with the host, and does not run after {Patience}")]
    private static partial void Slow(ILogger log, string machine, TimeSpan patience);
}
