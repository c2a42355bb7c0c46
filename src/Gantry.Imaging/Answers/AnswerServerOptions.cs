using Gantry.Model;

namespace Gantry.Imaging.Answers;

/// <summary>What a build serves to its guest, and where.</summary>
public sealed record AnswerServerOptions
{
    /// <summary>A folder whose files are served; null for none.</summary>
    public string? Directory { get; init; }

    /// <summary>Files given as text, by path; a leading slash may be left out. They go before the folder's.</summary>
    public ValueList<KeyValuePair<string, string>> Content { get; init; } = [];

    /// <summary>The host's address to listen on. QEMU's user network leads its guests (10.0.2.2) to loopback.</summary>
    public string BindAddress { get; init; } = "127.0.0.1";

    /// <summary>The first port to consider; Packer's default.</summary>
    public int PortMin { get; init; } = 8000;

    /// <summary>The last port to consider, itself included.</summary>
    public int PortMax { get; init; } = 9000;

    /// <summary>Requests served at once; more wait.</summary>
    public int MaxConnections { get; init; } = 32;

    /// <summary>How long a client may take to send its request, and to take each block of the answer.</summary>
    public TimeSpan ClientTimeout { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>One served request, for the build's log.</summary>
public sealed record AnswerAccess
{
    public required string Method { get; init; }

    /// <summary>As asked for, decoded, without control characters and cut to 200 characters.</summary>
    public required string Path { get; init; }

    /// <summary>HTTP's code.</summary>
    public required int Status { get; init; }

    /// <summary>Of the body, as far as it was sent.</summary>
    public required long Bytes { get; init; }

    /// <summary>The client's address and port.</summary>
    public required string Client { get; init; }

    public required double Milliseconds { get; init; }

    /// <summary>
    /// For a person: what exists instead of what was not found, or why the answer broke off; or empty.
    /// </summary>
    public string Hint { get; init; } = "";

    /// <summary>A line like a web server's: <c>10.0.2.15:41000 GET /preseed.cfg 200 1234 bytes 3 ms</c>.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Client} {Method} {Path} {Status} {Bytes} bytes {Milliseconds:0} ms")
        + (Hint.Length > 0 ? $" ({Hint})" : "");
}
