namespace Gantry.Machines.Guest;

/// <summary>How a command in a guest ended.</summary>
public abstract record ExitStatus
{
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
}
