namespace Gantry.Model.Running;

/// <summary>Whether a machine is to run.</summary>
public enum PowerState
{
    Stopped,
    Running,
}

/// <summary>How a running machine is brought to an end.</summary>
public enum StopManner
{
    /// <summary>Its power button is pressed, and the guest does the rest.</summary>
    Shutdown,

    /// <summary>At once, as if its plug were pulled.</summary>
    Kill,
}

/// <summary>
/// The newest thing that a user asked of a machine's power, recorded before anything happens. Only the API writes it.
/// </summary>
public sealed record PowerIntent
{
    /// <summary>How long a guest may take to shut down unless something else is asked for.</summary>
    public const int UsualPatience = 60;

    /// <summary>1 for the machine's first, one more for each after it.</summary>
    public required long Sequence { get; init; }

    /// <summary>The machine's: a later machine of the same number is another one.</summary>
    public required Guid Machine { get; init; }

    public required PowerState Wanted { get; init; }

    public StopManner Manner { get; init; }

    /// <summary>Seconds that the guest has to shut down.</summary>
    public int PatienceSeconds { get; init; } = UsualPatience;

    /// <summary>A run that begins after this intent: a running machine is ended first.</summary>
    public bool Anew { get; init; }

    /// <summary>Who asked: a user's name, or a part of Gantry.</summary>
    public required string By { get; init; }

    public required DateTimeOffset At { get; init; }
}
