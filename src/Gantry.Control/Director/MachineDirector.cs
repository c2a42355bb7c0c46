using System.Collections.Immutable;
using Gantry.Control.Cache;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;
using Gantry.Scheduler.Reconcile;

namespace Gantry.Control.Director;

/// <summary>
/// Writes down what the planner decides. Every write compares what the decision rested on; where that has changed, the
/// change itself brings the next plan.
/// </summary>
public sealed class MachineDirector(ClusterCache cache, IStateStore store, ImmutableArray<string> nodes)
{
    private readonly DocumentCollection<PowerIntent> _intents = RunningRecords.Intents(store);
    private readonly DocumentCollection<MachineAssignment> _assignments = RunningRecords.Assignments(store);

    /// <summary>Runs until it is cancelled or the store fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var planned = ClusterView.Empty;
        while (true)
        {
            var view = await cache.WaitAsync(next => next.Revision > planned.Revision, cancellationToken)
                .ConfigureAwait(false);
            foreach (var decision in Planner.Plan(SnapshotOf(view), ViewChanges.Between(planned, view)))
                await store.CommitAsync(TransactionOf(decision), cancellationToken).ConfigureAwait(false);
            planned = view;
        }
    }

    private ClusterSnapshot SnapshotOf(ClusterView view) => new()
    {
        Nodes = nodes,
        Machines = view.Machines
            .Where(machine => machine.Value.Value.Role == MachineRole.Ordinary)
            .ToImmutableSortedDictionary(machine => machine.Key, machine => machine.Value.Value.Uuid),
        Intents = view.Intents,
        Assignments = view.Assignments,
    };

    private StateTransaction TransactionOf(Decision decision) => decision switch
    {
        Decision.Assign assign => new StateTransaction
        {
            When =
            [
                _intents.Unchanged(assign.Intent),
                assign.Before is { } before
                    ? _assignments.Unchanged(before) : _assignments.Absent(RunningRecords.Id(assign.Machine)),
            ],
            Then = [_assignments.Put(RunningRecords.Id(assign.Machine), assign.Assignment)],
        },
        Decision.Forget forget => Forget(forget),
        _ => throw new InvalidOperationException($"There is no decision {decision}."),
    };

    private StateTransaction Forget(Decision.Forget forget)
    {
        var conditions = new List<StateCompare>();
        var changes = new List<StateOperation>();
        if (forget.Intent is { } intent)
        {
            conditions.Add(_intents.Unchanged(intent));
            changes.Add(_intents.Delete(intent.Id));
        }

        if (forget.Assignment is { } assignment)
        {
            conditions.Add(_assignments.Unchanged(assignment));
            changes.Add(_assignments.Delete(assignment.Id));
        }

        return new StateTransaction { When = [.. conditions], Then = [.. changes] };
    }
}
