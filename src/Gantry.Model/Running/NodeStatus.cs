using Gantry.Model.Machines;

namespace Gantry.Model.Running;

/// <summary>What a node says of itself. Only its agent writes it, when it has looked at all its machines.</summary>
public sealed record NodeStatus
{
    public required string Name { get; init; }

    /// <summary>The kernel's id of the host's present boot.</summary>
    public required Guid Boot { get; init; }

    /// <summary>When the agent began.</summary>
    public required DateTimeOffset Since { get; init; }
}

/// <summary>
/// How far the machines that start with their host have been asked to, after one boot of it. Only the director writes
/// it.
/// </summary>
public sealed record NodeStartup
{
    public required string Node { get; init; }

    public required Guid Boot { get; init; }

    /// <summary>Those whose turn is still to come, in order.</summary>
    public ValueList<MachineNumber> Waiting { get; init => field = value ?? []; } = [];
}
