using System.Collections.Immutable;
using CsCheck;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;
using Gantry.Scheduler.Reconcile;

namespace Gantry.Scheduler.Tests;

public sealed class PlannerTests
{
    private static readonly MachineNumber Web = new(100);
    private static readonly Guid First = new("00000000-0000-0000-0000-000000000001");
    private static readonly Guid Second = new("00000000-0000-0000-0000-000000000002");

    [Fact]
    public void Plan_OfNothing_IsEmpty() => Assert.Empty(Planner.Plan(ClusterSnapshot.Empty));

    [Fact]
    public void Plan_OfAFirstIntent_GivesItToANodeAtEpochOne()
    {
        var decision = Assert.IsType<Decision.Assign>(Assert.Single(Planner.Plan(Snapshot(First, Intent(1)))));
        Assert.Equal(("sirius", 1L, 1L), (decision.Assignment.Node, decision.Assignment.Epoch, decision.Assignment.Intent.Sequence));
        Assert.Null(decision.Before);
    }

    [Fact]
    public void Plan_OfANewerIntent_StaysOnTheNodeAndRaisesTheEpoch()
    {
        var snapshot = Snapshot(First, Intent(5), Assignment(4, epoch: 7, node: "houston"));
        var decision = Assert.IsType<Decision.Assign>(Assert.Single(Planner.Plan(snapshot)));
        Assert.Equal(("houston", 8L), (decision.Assignment.Node, decision.Assignment.Epoch));
        Assert.Equal(7, decision.Before!.Value.Epoch);
    }

    [Fact]
    public void Plan_OfAnAnsweredIntent_DoesNothing() =>
        Assert.Empty(Planner.Plan(Snapshot(First, Intent(4), Assignment(4, epoch: 7))));

    [Fact]
    public void Plan_WithoutANode_Waits() => Assert.Empty(Planner.Plan(Snapshot(First, Intent(1)) with { Nodes = [] }));

    [Fact]
    public void Plan_OfAMachineThatIsGone_ForgetsIt()
    {
        var decision = Assert.IsType<Decision.Forget>(
            Assert.Single(Planner.Plan(Snapshot(null, Intent(4), Assignment(4, epoch: 7)))));
        Assert.NotNull(decision.Intent);
        Assert.NotNull(decision.Assignment);
    }

    [Fact]
    public void Plan_OfAnotherMachineWithTheNumber_ForgetsOnlyWhatWasForTheFirst()
    {
        var decision = Assert.IsType<Decision.Forget>(
            Assert.Single(Planner.Plan(Snapshot(Second, Intent(1, Second), Assignment(4, epoch: 7)))));
        Assert.Null(decision.Intent);
        Assert.NotNull(decision.Assignment);
    }

    [Fact]
    public void Plan_OfWhatChanged_IsTheWholePlanOnceTheRestWasCarriedOut() =>
        GenSnapshot.Sample(snapshot =>
        {
            // Carrying plans out until nothing is left, and then changing one machine.
            snapshot = CarryOut(snapshot);
            foreach (var machine in snapshot.Intents.Keys)
            {
                var changed = snapshot with
                {
                    Intents = snapshot.Intents.SetItem(
                        machine, Document(machine, snapshot.Intents[machine].Value with { Sequence = 100 })),
                };
                Assert.Equal(Planner.Plan(changed), Planner.Plan(changed, [machine]));
            }
        });

    [Fact]
    public void Plan_CarriedOut_NeverLowersAnEpochAndComesToAnEnd() =>
        GenSnapshot.Sample(snapshot =>
        {
            var after = CarryOut(snapshot);
            Assert.All(after.Assignments, one => Assert.True(
                snapshot.Assignments.GetValueOrDefault(one.Key) is not { } before
                || before.Value.Machine != one.Value.Value.Machine
                || before.Value.Epoch <= one.Value.Value.Epoch));
            Assert.All(after.Intents, one => Assert.Equal(
                one.Value.Value.Sequence, after.Assignments[one.Key].Value.Intent.Sequence, (a, b) => a <= b));
        });

    private static readonly Gen<ClusterSnapshot> GenSnapshot =
        from machines in Gen.Int[100, 105].HashSet[0, 5]
        from intents in Gen.Select(Gen.Int[100, 105], Gen.Long[1, 5], Gen.Bool).Array[0, 6]
        from assignments in Gen.Select(Gen.Int[100, 105], Gen.Long[1, 5], Gen.Long[1, 9]).Array[0, 6]
        select ClusterSnapshot.Empty with
        {
            Nodes = ["sirius", "discovery"],
            Machines = machines.ToImmutableSortedDictionary(number => new MachineNumber(number), _ => First),
            Intents = intents.DistinctBy(one => one.Item1).ToImmutableSortedDictionary(
                one => new MachineNumber(one.Item1),
                one => Document(new MachineNumber(one.Item1), Intent(one.Item2, one.Item3 ? First : Second))),
            Assignments = assignments.DistinctBy(one => one.Item1).ToImmutableSortedDictionary(
                one => new MachineNumber(one.Item1),
                one => Document(new MachineNumber(one.Item1), Assignment(one.Item2, one.Item3) with { Number = new MachineNumber(one.Item1) })),
        };

    private static ClusterSnapshot CarryOut(ClusterSnapshot snapshot)
    {
        for (var round = 0; round < 5; round++)
        {
            var plan = Planner.Plan(snapshot);
            if (plan.IsEmpty)
                return snapshot;
            foreach (var decision in plan)
            {
                snapshot = decision switch
                {
                    Decision.Assign assign => snapshot with
                    {
                        Assignments = snapshot.Assignments.SetItem(assign.Machine, Document(assign.Machine, assign.Assignment)),
                    },
                    Decision.Forget forget => snapshot with
                    {
                        Intents = forget.Intent is null ? snapshot.Intents : snapshot.Intents.Remove(forget.Machine),
                        Assignments = forget.Assignment is null ? snapshot.Assignments : snapshot.Assignments.Remove(forget.Machine),
                    },
                    _ => throw new InvalidOperationException(),
                };
            }
        }

        throw new InvalidOperationException("the plan does not come to an end");
    }

    private static ClusterSnapshot Snapshot(Guid? machine, PowerIntent? intent, MachineAssignment? assignment = null) =>
        ClusterSnapshot.Empty with
        {
            Nodes = ["sirius", "discovery"],
            Machines = machine is { } uuid
                ? ClusterSnapshot.Empty.Machines.Add(Web, uuid) : ClusterSnapshot.Empty.Machines,
            Intents = intent is null
                ? ClusterSnapshot.Empty.Intents : ClusterSnapshot.Empty.Intents.Add(Web, Document(Web, intent)),
            Assignments = assignment is null
                ? ClusterSnapshot.Empty.Assignments : ClusterSnapshot.Empty.Assignments.Add(Web, Document(Web, assignment)),
        };

    private static PowerIntent Intent(long sequence, Guid? machine = null) => new()
    {
        Sequence = sequence,
        Machine = machine ?? First,
        Wanted = PowerState.Running,
        By = "test",
        At = DateTimeOffset.UnixEpoch,
    };

    private static MachineAssignment Assignment(long sequence, long epoch, string node = "sirius") => new()
    {
        Number = Web,
        Machine = First,
        Node = node,
        Epoch = epoch,
        Intent = Intent(sequence),
    };

    private static Document<T> Document<T>(MachineNumber number, T value) => new()
    {
        Id = RunningRecords.Id(number),
        Key = "x/" + RunningRecords.Id(number),
        Value = value,
        Revision = 1,
    };
}
