using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Catalog;

/// <summary>Finds a machine's snapshot as a person names it.</summary>
internal static class MachineSnapshots
{
    /// <exception cref="ProblemException">There is none; the message offers one that is near.</exception>
    public static SnapshotRecord Snapshot(this MachineRecord machine, string name) =>
        machine.Snapshots.FirstOrDefault(snapshot => snapshot.Name == name)
        ?? throw new ProblemException(
            ProblemKind.NotFound,
            $"{machine.Spec.Name} has no snapshot '{name}'",
            NearNames.Suggest(name, machine.Snapshots.Select(snapshot => snapshot.Name))
                ?? (machine.Snapshots.Count == 0
                    ? $"it has none yet: gantry snapshot {machine.Spec.Name}"
                    : "it has " + string.Join(", ", machine.Snapshots.Select(snapshot => snapshot.Name))));
}
