using Gantry.Model.Machines;

namespace Gantry.Model.Running;

/// <summary>What a node saw of a machine. Only the node's agent writes it.</summary>
public sealed record MachineStatus
{
    public required MachineNumber Number { get; init; }

    /// <summary>The machine's UUID: a later machine of the same number is another one.</summary>
    public required Guid Machine { get; init; }

    public required string Node { get; init; }

    /// <summary>The newest assignment that the node took up; 0 for a machine that was given to nobody.</summary>
    public required long Epoch { get; init; }

    /// <summary>
    /// The newest intent that is settled: fulfilled, or given up with <see cref="Problem"/>; 0 for none.
    /// </summary>
    public required long Settled { get; init; }

    public required MachinePhase Phase { get; init; }

    /// <summary>When the phase began.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>When the run in progress began.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>
    /// The host's boot that it was seen in: a machine that ran in an earlier one ended with it.
    /// </summary>
    public Guid Boot { get; init; }

    /// <summary>The ports that the run in progress really has.</summary>
    public ValueList<PublishedPort> Ports { get; init; } = [];

    /// <summary>How the run in progress executes the guest's instructions.</summary>
    public Accelerator? Accelerator { get; init; }

    /// <summary>Why the settled intent was given up, or the last restart failed; null when all is well.</summary>
    public Problem? Problem { get; init; }

    /// <summary>How the last run ended; null before one has.</summary>
    public MachineExit? LastExit { get; init; }

    /// <summary>Restarts by policy since the machine last ran for long enough to count as well.</summary>
    public int Restarts { get; init; }

    /// <summary>When the policy tries again; null when it does not.</summary>
    public DateTimeOffset? NextRestart { get; init; }
}

/// <summary>The end of a run.</summary>
public sealed record MachineExit
{
    public required DateTimeOffset At { get; init; }

    /// <summary>
    /// QEMU's word, such as guest-shutdown, host-signal or guest-panic; <c>requested</c>, <c>host-down</c> when its
    /// host went down under it, <c>unknown</c> when it was not heard.
    /// </summary>
    public required string Reason { get; init; }

    /// <summary>Whether the guest or a user brought it about; a crash is none of theirs.</summary>
    public required bool Orderly { get; init; }
}
