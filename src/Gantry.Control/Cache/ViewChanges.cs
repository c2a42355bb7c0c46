using System.Collections.Immutable;
using Gantry.Model.Machines;
using Gantry.Model.State;

namespace Gantry.Control.Cache;

/// <summary>What differs between two views.</summary>
internal static class ViewChanges
{
    /// <summary>The machines of which anything differs: record, intent, assignment or status.</summary>
    public static ImmutableSortedSet<MachineNumber> Between(ClusterView before, ClusterView after) =>
        Between(before.Machines, after.Machines)
            .Concat(Between(before.Intents, after.Intents))
            .Concat(Between(before.Assignments, after.Assignments))
            .Concat(Between(before.Statuses, after.Statuses))
            .ToImmutableSortedSet();

    private static IEnumerable<MachineNumber> Between<T>(
        ImmutableSortedDictionary<MachineNumber, Document<T>> before,
        ImmutableSortedDictionary<MachineNumber, Document<T>> after)
    {
        if (ReferenceEquals(before, after))
            return [];
        return after.Where(one => before.GetValueOrDefault(one.Key)?.Revision != one.Value.Revision)
            .Concat(before.Where(one => !after.ContainsKey(one.Key)))
            .Select(one => one.Key);
    }
}
