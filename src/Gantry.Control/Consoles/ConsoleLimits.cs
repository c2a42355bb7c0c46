namespace Gantry.Control.Consoles;

/// <summary>How long and how many.</summary>
public sealed record ConsoleLimits
{
    /// <summary>A ticket is for a client that opens its WebSocket next.</summary>
    public TimeSpan TicketLife { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Tickets that wait to be used.</summary>
    public int MostTickets { get; init; } = 1000;

    /// <summary>Consoles that are open.</summary>
    public int MostOpen { get; init; } = 500;

    /// <summary>Without a byte either way.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan Total { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long a client may take to receive one message.</summary>
    public TimeSpan Send { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How often a client that says nothing is asked whether it is there, and how long it may take to say.
    /// </summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a client may take to say good-bye.</summary>
    public TimeSpan Farewell { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Bytes of one message to a serial line or a display, in as many frames as the client likes.</summary>
    public int LongestMessage { get; init; } = 1024 * 1024;
}
