namespace Gantry.Machines.Guest;

/// <summary>What one attempt to log in to a guest met.</summary>
public abstract record SshObservation
{
    private SshObservation()
    {
    }

    /// <summary>The guest has no address yet, as far as the host can tell.</summary>
    public sealed record NoAddress : SshObservation;

    /// <summary>The address does not answer at all: no route, no such name, or no reply.</summary>
    public sealed record Unreachable(string Reason) : SshObservation;

    /// <summary>The port is closed: the connection was refused.</summary>
    public sealed record Refused : SshObservation;

    /// <summary>
    /// The connection was accepted, then nothing came: QEMU's network answers for a guest that isn't up.
    /// </summary>
    public sealed record Silent : SshObservation;

    /// <summary>The connection was accepted and closed without a word: the guest is up, its port is closed.</summary>
    public sealed record Closed : SshObservation;

    /// <summary>Something listens that is no SSH server.</summary>
    public sealed record NotSsh(string Reason) : SshObservation;

    /// <summary>The server spoke, but no session came about.</summary>
    public sealed record HandshakeFailed(string Server, string Reason) : SshObservation;

    public sealed record HostKeyDiffers(SshHostKey Expected, SshHostKey Found) : SshObservation;

    /// <summary>The server refused the login; both lists are comma-separated names of methods.</summary>
    public sealed record LoginRefused(string User, string Tried, string Offered) : SshObservation;

    /// <summary>Logged in.</summary>
    public sealed record Connected(string Server) : SshObservation;
}
