using System.Collections.Immutable;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;
using Gantry.Model.Tasks;

namespace Gantry.Control.Cache;

/// <summary>
/// All machines with what is wanted, decided and seen of them, and the tasks, as of one revision of the store.
/// </summary>
public sealed record ClusterView
{
    public static ClusterView Empty { get; } = new();

    /// <summary>-1 before anything was read.</summary>
    public long Revision { get; init; } = -1;

    public ImmutableSortedDictionary<MachineNumber, Document<MachineRecord>> Machines { get; init; } =
        ImmutableSortedDictionary<MachineNumber, Document<MachineRecord>>.Empty;

    public ImmutableDictionary<string, MachineNumber> Names { get; init; } =
        ImmutableDictionary.Create<string, MachineNumber>(StringComparer.Ordinal);

    public ImmutableSortedDictionary<MachineNumber, Document<PowerIntent>> Intents { get; init; } =
        ImmutableSortedDictionary<MachineNumber, Document<PowerIntent>>.Empty;

    public ImmutableSortedDictionary<MachineNumber, Document<MachineAssignment>> Assignments { get; init; } =
        ImmutableSortedDictionary<MachineNumber, Document<MachineAssignment>>.Empty;

    public ImmutableSortedDictionary<MachineNumber, Document<MachineStatus>> Statuses { get; init; } =
        ImmutableSortedDictionary<MachineNumber, Document<MachineStatus>>.Empty;

    /// <summary>By name.</summary>
    public ImmutableSortedDictionary<string, Document<NodeStatus>> Nodes { get; init; } =
        ImmutableSortedDictionary.Create<string, Document<NodeStatus>>(StringComparer.Ordinal);

    /// <summary>What was asked for, by id: the oldest first.</summary>
    public ImmutableSortedDictionary<string, Document<TaskOrder>> Tasks { get; init; } =
        ImmutableSortedDictionary.Create<string, Document<TaskOrder>>(StringComparer.Ordinal);

    /// <summary>What became of it, by id; none for what waits for its turn.</summary>
    public ImmutableSortedDictionary<string, Document<TaskState>> TaskStates { get; init; } =
        ImmutableSortedDictionary.Create<string, Document<TaskState>>(StringComparer.Ordinal);

    /// <summary>Whether all tasks have ended.</summary>
    public bool HasNoTasksUnderWay =>
        Tasks.Keys.All(id => TaskStates.GetValueOrDefault(id)?.Value.HasEnded == true);

    /// <summary>A machine by name or number, as people give it; null when there is none.</summary>
    public Document<MachineRecord>? Find(string nameOrNumber)
    {
        if (!MachineNumber.TryParse(nameOrNumber, out var number) && !Names.TryGetValue(nameOrNumber, out number))
            return null;
        return Machines.GetValueOrDefault(number);
    }

    /// <summary>What was seen of a machine; null before anything was.</summary>
    public MachineStatus? Status(MachineRecord machine) =>
        Statuses.GetValueOrDefault(machine.Number)?.Value is { } status && status.Machine == machine.Uuid
            ? status : null;

    /// <summary>Whether an intent of a machine is fulfilled or given up, or the machine is gone.</summary>
    public bool HasSettled(MachineRecord machine, long sequence) =>
        Machines.GetValueOrDefault(machine.Number)?.Value.Uuid != machine.Uuid || Status(machine)?.Settled >= sequence;

    /// <summary>
    /// The node that a machine is given to; while it is given to none, the one that the planner would choose.
    /// </summary>
    public string? NodeOf(MachineRecord machine) =>
        Assignments.GetValueOrDefault(machine.Number)?.Value is { } assignment && assignment.Machine == machine.Uuid
            ? assignment.Node : Nodes.Keys.FirstOrDefault();

    /// <summary>The machines of a node; a build's are its build's affair and not among them.</summary>
    public IEnumerable<MachineRecord> MachinesOn(string node) =>
        Machines.Values.Select(machine => machine.Value)
            .Where(machine => machine.Role == MachineRole.Ordinary && NodeOf(machine) == node);

    /// <summary>The newest thing asked of a machine's power; null before anything was.</summary>
    public PowerIntent? Intent(MachineRecord machine) =>
        Intents.GetValueOrDefault(machine.Number)?.Value is { } intent && intent.Machine == machine.Uuid
            ? intent : null;
}
