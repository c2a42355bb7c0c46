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

    /// <summary>The ids of the tasks of which anything differs: order or state.</summary>
    public static ImmutableSortedSet<string> TasksBetween(ClusterView before, ClusterView after) =>
        Between(before.Tasks, after.Tasks).Concat(Between(before.TaskStates, after.TaskStates))
            .ToImmutableSortedSet(StringComparer.Ordinal);

    private static IEnumerable<TKey> Between<TKey, T>(
        ImmutableSortedDictionary<TKey, Document<T>> before, ImmutableSortedDictionary<TKey, Document<T>> after)
        where TKey : notnull
    {
        if (ReferenceEquals(before, after))
            return [];
        return after.Where(one => before.GetValueOrDefault(one.Key)?.Revision != one.Value.Revision)
            .Concat(before.Where(one => !after.ContainsKey(one.Key)))
            .Select(one => one.Key);
    }
}
