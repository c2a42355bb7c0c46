using System.Collections.Immutable;
using Gantry.Model.Machines;
using Gantry.Model.Running;

namespace Gantry.Scheduler.Reconcile;

/// <summary>
/// Decides what the nodes are to do. A pure function: it reads no clock and no store, so that the same snapshot gives
/// the same plan on whichever node the director is.
/// </summary>
public static class Planner
{
    /// <summary>What is to be written for the whole cluster, by ascending number.</summary>
    public static ImmutableArray<Decision> Plan(ClusterSnapshot snapshot) =>
        Plan(snapshot, snapshot.Machines.Keys.Union(snapshot.Intents.Keys).Union(snapshot.Assignments.Keys));

    /// <summary>
    /// What is to be written when only these machines have changed since a plan that was carried out: the same as the
    /// whole plan.
    /// </summary>
    public static ImmutableArray<Decision> Plan(ClusterSnapshot snapshot, IEnumerable<MachineNumber> changed) =>
        [.. changed.Distinct().Order().Select(machine => Decide(snapshot, machine)).OfType<Decision>()];

    private static Decision? Decide(ClusterSnapshot snapshot, MachineNumber machine)
    {
        var intent = snapshot.Intents.GetValueOrDefault(machine);
        var assignment = snapshot.Assignments.GetValueOrDefault(machine);
        var uuid = snapshot.Machines.TryGetValue(machine, out var found) ? found : (Guid?)null;
        // What was meant for an earlier machine of this number, or for one that is gone.
        var stale = intent?.Value.Machine != uuid ? intent : null;
        var staleAssignment = assignment?.Value.Machine != uuid ? assignment : null;
        if (stale is not null || staleAssignment is not null)
            return new Decision.Forget { Machine = machine, Intent = stale, Assignment = staleAssignment };
        if (intent is null || assignment?.Value.Intent.Sequence >= intent.Value.Sequence)
            return null;
        return NodeFor(snapshot, assignment?.Value) is { } node
            ? new Decision.Assign
            {
                Machine = machine,
                Intent = intent,
                Before = assignment,
                Assignment = new MachineAssignment
                {
                    Number = machine,
                    Machine = intent.Value.Machine,
                    Node = node,
                    Epoch = (assignment?.Value.Epoch ?? 0) + 1,
                    Intent = intent.Value,
                },
            }
            : null;
    }

    /// <summary>A machine's disks are on one node: it stays where it is.</summary>
    private static string? NodeFor(ClusterSnapshot snapshot, MachineAssignment? assignment) =>
        assignment?.Node ?? (snapshot.Nodes.IsEmpty ? null : snapshot.Nodes[0]);
}
