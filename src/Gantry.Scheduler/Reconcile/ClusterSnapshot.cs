using System.Collections.Immutable;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;

namespace Gantry.Scheduler.Reconcile;

/// <summary>All that the planner looks at, as of one moment. Each map is by number.</summary>
public sealed record ClusterSnapshot
{
    public static ClusterSnapshot Empty { get; } = new();

    /// <summary>The nodes that machines may be given to, in order of preference.</summary>
    public ImmutableArray<string> Nodes { get; init; } = [];

    /// <summary>
    /// The UUIDs of the machines that there are. A build's machine is its build's affair and not among them.
    /// </summary>
    public ImmutableSortedDictionary<MachineNumber, Guid> Machines { get; init; } =
        ImmutableSortedDictionary<MachineNumber, Guid>.Empty;

    public ImmutableSortedDictionary<MachineNumber, Document<PowerIntent>> Intents { get; init; } =
        ImmutableSortedDictionary<MachineNumber, Document<PowerIntent>>.Empty;

    public ImmutableSortedDictionary<MachineNumber, Document<MachineAssignment>> Assignments { get; init; } =
        ImmutableSortedDictionary<MachineNumber, Document<MachineAssignment>>.Empty;
}
