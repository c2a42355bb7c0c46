using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;

namespace Gantry.Scheduler.Reconcile;

/// <summary>One thing that the director is to write, if what it rests on is still as it was.</summary>
public abstract record Decision
{
    private Decision()
    {
    }

    public required MachineNumber Machine { get; init; }

    /// <summary>Gives the machine's newest intent to a node.</summary>
    public sealed record Assign : Decision
    {
        public required MachineAssignment Assignment { get; init; }

        /// <summary>The intent that it answers.</summary>
        public required Document<PowerIntent> Intent { get; init; }

        /// <summary>The assignment that it replaces; null when there is none.</summary>
        public required Document<MachineAssignment>? Before { get; init; }
    }

    /// <summary>Takes away what was meant for a machine that is gone, even where another has its number now.</summary>
    public sealed record Forget : Decision
    {
        public required Document<PowerIntent>? Intent { get; init; }

        public required Document<MachineAssignment>? Assignment { get; init; }
    }
}
