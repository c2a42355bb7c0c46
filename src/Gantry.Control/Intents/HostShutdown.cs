using System.Collections.Immutable;
using Gantry.Control.Cache;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Scheduler.Reconcile;

namespace Gantry.Control.Intents;

/// <summary>How a guest came to its end when its host was to go down.</summary>
public enum ShutdownOutcome
{
    /// <summary>Its guest shut down.</summary>
    Shutdown,

    /// <summary>Its guest did not in time, and it was ended.</summary>
    Killed,

    /// <summary>It still runs.</summary>
    Failed,
}

/// <summary>
/// Ends all machines of a node before its host goes down: the reverse of how they start, each group together, and in
/// time.
/// </summary>
public sealed class HostShutdown(ClusterCache cache, PowerDesk desk, TimeProvider time)
{
    /// <summary>What the intents say about who asked.</summary>
    public const string Asker = "host shutdown";

    /// <summary>What is kept of the whole time for ending those that did not shut down.</summary>
    private static readonly TimeSpan Reserve = TimeSpan.FromSeconds(10);

    /// <param name="node">Whose machines.</param>
    /// <param name="deadline">How long all of it may take; guests that have not shut down by then are ended.</param>
    /// <param name="cancellationToken">Ends the wait; what was asked for goes on.</param>
    public async Task<ImmutableSortedDictionary<string, ShutdownOutcome>> RunAsync(
        string node, TimeSpan deadline, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var view = cache.View;
        var running = view.MachinesOn(node).Where(machine => IsOn(view.Status(machine)))
            .ToImmutableDictionary(machine => machine.Number);
        var outcomes = ImmutableSortedDictionary.CreateBuilder<string, ShutdownOutcome>(StringComparer.Ordinal);
        var groups = BootOrder.Down(running.Values);
        for (var i = 0; i < groups.Length; i++)
        {
            var left = deadline - time.GetElapsedTime(began) - Reserve;
            // A group that hangs does not take the time of those after it.
            var share = TimeSpan.FromSeconds(Math.Max(0, Math.Floor(left.TotalSeconds / (groups.Length - i))));
            var ended = await Task.WhenAll(
                groups[i].Select(number => EndAsync(running[number], share, cancellationToken)))
                .ConfigureAwait(false);
            foreach (var (machine, outcome) in ended)
                outcomes[machine.Spec.Name] = outcome;
        }

        return outcomes.ToImmutable();
    }

    private async Task<(MachineRecord Machine, ShutdownOutcome Outcome)> EndAsync(
        MachineRecord machine, TimeSpan patience, CancellationToken cancellationToken)
    {
        var shutdown = new PowerRequest { Wanted = PowerState.Stopped, PatienceSeconds = (int)patience.TotalSeconds };
        if (patience > TimeSpan.Zero && await AskAsync(machine, shutdown, cancellationToken).ConfigureAwait(false))
            return (machine, ShutdownOutcome.Shutdown);
        var kill = new PowerRequest { Wanted = PowerState.Stopped, Manner = StopManner.Kill };
        var killed = await AskAsync(machine, kill, cancellationToken).ConfigureAwait(false);
        return (machine, killed ? ShutdownOutcome.Killed : ShutdownOutcome.Failed);
    }

    /// <summary>Whether it is off then.</summary>
    private async Task<bool> AskAsync(
        MachineRecord machine, PowerRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var admission = await desk.AdmitAsync(machine.Number, request, Asker, cancellationToken)
                .ConfigureAwait(false);
            var settled = await cache.WaitAsync(
                view => view.HasSettled(machine, admission.Sequence),
                TimeSpan.FromSeconds(request.PatienceSeconds) + Reserve, time, cancellationToken).ConfigureAwait(false);
            return settled is not null && !IsOn(settled.Status(machine));
        }
        catch (ProblemException e)
        {
            // Deleted meanwhile, it does not run either.
            return e.Problem.Kind == ProblemKind.NotFound;
        }
    }

    private static bool IsOn(MachineStatus? status) => status is { Phase: not MachinePhase.Stopped };
}
