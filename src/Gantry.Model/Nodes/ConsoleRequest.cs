namespace Gantry.Model.Nodes;

public enum ConsoleKind
{
    Serial,
    Vnc,
    Exec,
}

/// <summary>What kind of console is wanted, and how.</summary>
public abstract record ConsoleRequest
{
    private ConsoleRequest()
    {
    }

    /// <summary>The serial line, which any number of watchers share.</summary>
    public sealed record Serial : ConsoleRequest
    {
        /// <summary>
        /// Bytes of what was said before that come first; at most this many, beginning with a whole line.
        /// </summary>
        public const int MostScrollBack = 256 * 1024;

        /// <summary>What is sent is dropped.</summary>
        public bool ReadOnly { get; init; }

        public int ScrollBack { get; init; } = MostScrollBack;
    }

    /// <summary>The display, keyboard and pointer, as the bytes of RFB (RFC 6143); several share them too.</summary>
    public sealed record Vnc : ConsoleRequest;

    /// <summary>
    /// A line for the guest's shell, or a login shell under a terminal; over SSH, as who logs in there by default.
    /// </summary>
    public sealed record Exec : ConsoleRequest
    {
        /// <summary>UTF-8 bytes; longer ones Linux would not take as one argument.</summary>
        public const int LongestCommand = 128 * 1024 - 1;

        /// <summary>Null for a login shell, which then has a terminal.</summary>
        public string? Command { get; init; }

        public ConsoleTerminal? Terminal { get; init; }

        /// <summary>Who logs in; null for cloud-init's user, the template's, or root.</summary>
        public string? User { get; init; }
    }
}

/// <summary>A terminal that somebody looks at.</summary>
/// <param name="Type">Such as xterm-256color.</param>
/// <param name="Columns">1 to 10,000 characters.</param>
/// <param name="Rows">1 to 10,000 lines.</param>
public sealed record ConsoleTerminal(string Type, int Columns, int Rows)
{
    public const int LongestSide = 10_000;
}
