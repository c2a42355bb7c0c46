using System.Collections.Immutable;
using Gantry.Model.Machines;

namespace Gantry.Scheduler.Reconcile;

/// <summary>In which order machines start with their host, and go down with it. Pure.</summary>
public static class BootOrder
{
    /// <summary>
    /// Those that start with their host, by order and then by number; those without an order come last.
    /// </summary>
    public static ImmutableArray<MachineNumber> Up(IEnumerable<MachineRecord> machines) =>
    [
        .. machines.Where(machine => machine.Spec.Autostart is not null).OrderBy(OrderOf)
            .ThenBy(machine => machine.Number).Select(machine => machine.Number),
    ];

    /// <summary>All of them in groups that go down together, the reverse of how they start.</summary>
    public static ImmutableArray<ImmutableArray<MachineNumber>> Down(IEnumerable<MachineRecord> machines) =>
    [
        .. machines.GroupBy(OrderOf).OrderByDescending(group => group.Key)
            .Select(group => group.Select(machine => machine.Number).Order().ToImmutableArray()),
    ];

    private static int OrderOf(MachineRecord machine) => machine.Spec.Autostart?.Order ?? int.MaxValue;
}
