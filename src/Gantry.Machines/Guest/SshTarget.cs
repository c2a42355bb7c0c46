namespace Gantry.Machines.Guest;

/// <summary>Where a guest's SSH server is, who logs in there and how long each part may take.</summary>
public sealed record SshTarget
{
    /// <summary>An address or a host name.</summary>
    public required string Host { get; init; }

    /// <summary>1 to 65535.</summary>
    public required int Port { get; init; }

    public required string User { get; init; }

    /// <summary>Also answers a server that asks for it by keyboard-interactive.</summary>
    public string? Password { get; init; }

    /// <summary>A private key's text (OpenSSH, PEM, PKCS#8 or PuTTY), tried before the password.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>A private key's file, tried before the password.</summary>
    public string? PrivateKeyFile { get; init; }

    public string? PrivateKeyPassphrase { get; init; }

    /// <summary>The only host key to accept; null accepts any (a guest that was made a moment ago).</summary>
    public SshHostKey? ExpectedHostKey { get; init; }

    /// <summary>
    /// How long a connection that was accepted may stay silent before another is made. QEMU's user network accepts
    /// before the guest listens, and its own retries into the guest grow slow: a new connection finds a guest that has
    /// just come up sooner. One older connection stays open for guests that answer slowly.
    /// </summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>For each step of the handshake once the server has spoken; an emulated guest needs seconds.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often an idle connection sends a packet; zero for never.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How many failed handshakes or refused logins end the wait early; 0 leaves that to the deadline.
    /// </summary>
    public int HandshakeAttempts { get; init; }

    /// <summary>Names no secret.</summary>
    public override string ToString() => $"{User}@{Host}:{Port}";
}
