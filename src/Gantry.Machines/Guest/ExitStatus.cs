namespace Gantry.Machines.Guest;

/// <summary>How a command in a guest ended.</summary>
public abstract record ExitStatus
{
    /// <summary>What shells add to a signal's number.</summary>
    private const int SignalBase = 128;

    private static readonly Dictionary<string, int> Signals = new(StringComparer.Ordinal)
    {
        ["HUP"] = 1,
        ["INT"] = 2,
        ["QUIT"] = 3,
        ["ILL"] = 4,
        ["TRAP"] = 5,
        ["ABRT"] = 6,
        ["BUS"] = 7,
        ["FPE"] = 8,
        ["KILL"] = 9,
        ["USR1"] = 10,
        ["SEGV"] = 11,
        ["USR2"] = 12,
        ["PIPE"] = 13,
        ["ALRM"] = 14,
        ["TERM"] = 15,
    };

    private ExitStatus()
    {
    }

    /// <summary>The command exited by itself, with a code from 0 to 255 (Windows: any).</summary>
    public sealed record Exited(int Code) : ExitStatus
    {
        public override string ToString() => $"exit code {Code}";
    }

    /// <summary>A signal ended the command; the name has no SIG before it.</summary>
    public sealed record Signaled(string Signal) : ExitStatus
    {
        public override string ToString() => $"ended by signal {Signal}";
    }

    /// <summary>
    /// The connection went away while the command ran: a reboot, a crash. What the command did is unknown.
    /// </summary>
    public sealed record Disconnected(string Reason) : ExitStatus
    {
        public override string ToString() => $"connection lost ({Reason})";
    }

    public bool IsSuccess => this is Exited { Code: 0 };

    /// <summary>What a shell would say of it: 128 and the number for a signal; null when it is not known.</summary>
    public int? ShellCode => this switch
    {
        Exited exited => exited.Code,
        Signaled signaled => SignalBase + Signals.GetValueOrDefault(signaled.Signal, SignalBase - 1),
        _ => null,
    };
}
