using Gantry.Model.Machines;

namespace Gantry.Model.Nodes;

/// <summary>
/// What must not pass through the store: the entry node asks it of the node that a machine is on. Nothing but values
/// and streams of values goes either way, so that it can be carried between nodes as it is within one.
/// </summary>
/// <remarks>
/// Every member throws a <see cref="ProblemException"/> when the machine is not there, does not run, or refuses.
/// Whoever asks has been found to have the right to.
/// </remarks>
public interface INodeService
{
    /// <summary>
    /// Whether a console could be opened, as far as that can be told at once and without touching the guest.
    /// </summary>
    Task CheckAsync(MachineKey machine, ConsoleRequest request, CancellationToken cancellationToken);

    /// <summary>Opens a console; the token ends the opening only.</summary>
    Task<IConsoleChannel> OpenAsync(MachineKey machine, ConsoleRequest request, CancellationToken cancellationToken);

    /// <summary>What the display shows now, as a PNG file.</summary>
    Task<ReadOnlyMemory<byte>> ScreenshotAsync(MachineKey machine, CancellationToken cancellationToken);

    /// <summary>
    /// The end of a log, piece by piece; with <see cref="LogRequest.Follow"/> whatever is added, until the machine
    /// stops. A piece is good until the next one is asked for.
    /// </summary>
    IAsyncEnumerable<ReadOnlyMemory<byte>> ReadLogAsync(
        MachineKey machine, LogRequest request, CancellationToken cancellationToken);

    /// <summary>Types at the machine's keyboard, and returns when all is typed.</summary>
    /// <param name="machine">Whose keyboard.</param>
    /// <param name="keys">Pieces of a boot command: text, and keys and waits between &lt; and &gt;.</param>
    /// <param name="cancellationToken">Ends the typing; what was typed is typed.</param>
    Task TypeAsync(MachineKey machine, IReadOnlyList<string> keys, CancellationToken cancellationToken);
}

/// <summary>One machine for good: its number alone may be another's by now.</summary>
public readonly record struct MachineKey(MachineNumber Number, Guid Uuid)
{
    public static MachineKey Of(MachineRecord machine) => new(machine.Number, machine.Uuid);
}

public enum LogSource
{
    /// <summary>What the serial console said since the machine was started.</summary>
    Serial,

    /// <summary>QEMU's own words.</summary>
    Qemu,
}

/// <summary>What is wanted of a log.</summary>
public sealed record LogRequest
{
    public LogSource Source { get; init; }

    /// <summary>How many lines of its end; 0 for none of what is there already.</summary>
    public required int Lines { get; init; }

    /// <summary>Go on as the machine says more.</summary>
    public bool Follow { get; init; }
}
