using Gantry.Model.Machines;

namespace Gantry.Model.Running;

/// <summary>What was decided for a machine: who does what with it. Only the director writes it.</summary>
public sealed record MachineAssignment
{
    public required MachineNumber Number { get; init; }

    /// <summary>The machine's UUID: a later machine of the same number is another one.</summary>
    public required Guid Machine { get; init; }

    /// <summary>The node that it is given to.</summary>
    public required string Node { get; init; }

    /// <summary>
    /// Grows with every assignment of the machine. A node refuses an older one: it is the fencing token.
    /// </summary>
    public required long Epoch { get; init; }

    /// <summary>The intent that it answers, as it was read: a node watches its assignments only.</summary>
    public required PowerIntent Intent { get; init; }
}
