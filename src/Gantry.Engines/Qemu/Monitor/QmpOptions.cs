namespace Gantry.Engines.Qemu.Monitor;

/// <summary>Deadlines and limits of a monitor connection.</summary>
public sealed record QmpOptions
{
    /// <summary>How long the socket may take to appear, accept and greet.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long one command may take. QEMU answers from its main loop, which a big snapshot or a starved host
    /// can hold for seconds.
    /// </summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The longest message taken from QEMU, in bytes. The biggest known one, the answer to
    /// <c>query-qmp-schema</c>, has some 200 KiB.
    /// </summary>
    public int MaxMessageBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>How many unread events a subscription keeps before it drops its oldest.</summary>
    public int EventCapacity { get; init; } = 1024;

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
