using Gantry.Model.Machines;
using Gantry.Scheduler.Reconcile;

namespace Gantry.Scheduler.Tests;

public sealed class BootOrderTests
{
    private static readonly MachineRecord[] Machines =
    [
        Machine(105, null),
        Machine(104, new AutostartSpec { Order = 7 }),
        Machine(103, new AutostartSpec()),
        Machine(102, new AutostartSpec { Order = 7 }),
        Machine(101, new AutostartSpec { Order = 0 }),
    ];

    [Fact]
    public void Up_IsByOrderThenNumber_AndThoseWithoutAnOrderLast() =>
        Assert.Equal([101, 102, 104, 103], BootOrder.Up(Machines).Select(number => number.Value));

    [Fact]
    public void Down_IsTheReverse_WithWhatNobodyOrderedFirst() =>
        Assert.Equal([[103, 105], [102, 104], [101]], BootOrder.Down(Machines).Select(group => group.Select(one => one.Value)));

    private static MachineRecord Machine(int number, AutostartSpec? autostart) => new()
    {
        Number = new MachineNumber(number),
        Uuid = Guid.Empty,
        Spec = new MachineSpec { Name = $"m{number}", Isa = Isa.X86_64, Autostart = autostart },
        Created = DateTimeOffset.UnixEpoch,
        InstanceId = "i",
    };
}
