using Gantry.Model.Machines;
using Gantry.Model.Running;

namespace Gantry.Agent.Assignments;

/// <summary>What a machine's restart policy makes of the end of a run. Pure.</summary>
internal static class RestartRule
{
    /// <summary>The reason of an end that came with the host's. Whether to start then is autostart's to say.</summary>
    public const string HostDown = "host-down";

    private const int LongestDelay = 60;

    /// <summary>
    /// The status after a run that nobody ended on purpose, with the time of the next start if there is one.
    /// </summary>
    /// <param name="spec">The machine's policy.</param>
    /// <param name="status">As it was during the run.</param>
    /// <param name="exit">How the run ended.</param>
    public static MachineStatus After(RestartSpec spec, MachineStatus status, MachineExit exit)
    {
        var well = exit.At - (status.Started ?? status.Since) >= TimeSpan.FromSeconds(spec.WellSeconds);
        var next = status with { Restarts = well ? 0 : status.Restarts, NextRestart = null };
        if (exit.Reason != HostDown)
            next = Next(spec, next, exit.Orderly, exit.At);
        return next with
        {
            Phase = MachinePhase.Stopped,
            Since = exit.At,
            Started = null,
            LastExit = exit,
            Ports = [],
            Accelerator = null,
        };
    }

    /// <summary>The status after a restart that failed.</summary>
    public static MachineStatus AfterFailure(RestartSpec spec, MachineStatus status, DateTimeOffset now) =>
        Next(spec, status, orderly: false, now);

    private static MachineStatus Next(RestartSpec spec, MachineStatus status, bool orderly, DateTimeOffset now)
    {
        var wanted = spec.Policy == RestartPolicy.Always || (spec.Policy == RestartPolicy.OnFailure && !orderly);
        if (!wanted || status.Restarts >= spec.Limit)
            return status with { NextRestart = null };
        // The shift is bounded by the limit on the delay long before it could overflow.
        var seconds = Math.Min(LongestDelay, (long)spec.DelaySeconds << Math.Min(status.Restarts, 16));
        return status with { NextRestart = now + TimeSpan.FromSeconds(seconds) };
    }
}
