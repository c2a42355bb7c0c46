using Gantry.Model.Nodes;

namespace Gantry.Control.Api.Machines;

/// <summary>What console is wanted.</summary>
public sealed record ConsoleBody
{
    public required ConsoleKind Kind { get; init; }

    /// <summary>Serial: nothing can be typed.</summary>
    public bool? ReadOnly { get; init; }

    /// <summary>Serial: bytes of what was said before, 0 to 262144, which is the usual.</summary>
    public int? ScrollBack { get; init; }

    /// <summary>Exec: a line for the guest's shell; without one, a login shell under a terminal.</summary>
    public string? Command { get; init; }

    /// <summary>Exec: the terminal of a login shell.</summary>
    public TerminalBody? Terminal { get; init; }

    /// <summary>Exec: who logs in; otherwise cloud-init's user, the template's, or root.</summary>
    public string? User { get; init; }
}

/// <summary>A terminal that somebody looks at.</summary>
public sealed record TerminalBody
{
    /// <summary>xterm-256color where it is left out.</summary>
    public string? Type { get; init; }

    /// <summary>1 to 10000.</summary>
    public required int Columns { get; init; }

    /// <summary>1 to 10000.</summary>
    public required int Rows { get; init; }
}

/// <summary>Lets its bearer open one console, once.</summary>
public sealed record ConsoleTicketResource
{
    public required string Ticket { get; init; }

    /// <summary>Where the WebSocket is to be opened, the ticket in it.</summary>
    public required string Path { get; init; }

    /// <summary>The sub-protocol that a client may name.</summary>
    public required string Protocol { get; init; }

    public required DateTimeOffset Expires { get; init; }
}

/// <summary>What is to be typed.</summary>
public sealed record KeysBody
{
    /// <summary>Pieces of a boot command, such as <c>root&lt;enter&gt;</c>.</summary>
    public required IReadOnlyList<string> Keys { get; init; }
}
