using System.Buffers.Binary;
using Gantry.Model.Nodes;

namespace Gantry.Control.Consoles;

/// <summary>How a console's frames are written as WebSocket messages, as docs/consoles.md tells it.</summary>
internal abstract class ConsoleWire
{
    /// <summary>The WebSocket's sub-protocol, for clients that name one.</summary>
    public abstract string Protocol { get; }

    /// <summary>Whether text is taken, as its bytes.</summary>
    public abstract bool TakesText { get; }

    /// <summary>Whether a message means something as a whole only; otherwise each piece of it is passed on.</summary>
    public abstract bool IsWhole { get; }

    public static ConsoleWire For(ConsoleRequest request) => request switch
    {
        ConsoleRequest.Serial => new BytesWire(takesText: true),
        ConsoleRequest.Vnc => new BytesWire(takesText: false),
        ConsoleRequest.Exec => new ExecWire(),
        _ => throw new InvalidOperationException($"unknown console {request.GetType().Name}"),
    };

    /// <summary>The message for a frame, good until the next; null where there is none.</summary>
    public abstract ReadOnlyMemory<byte>? Write(ConsoleFrame frame);

    /// <summary>The frame of a message or piece; null where it makes no sense.</summary>
    public abstract ConsoleFrame? Read(ReadOnlyMemory<byte> message);
}

/// <summary>Bytes as they are: what noVNC and xterm.js speak.</summary>
internal sealed class BytesWire(bool takesText) : ConsoleWire
{
    public override string Protocol => "binary";

    public override bool TakesText => takesText;

    public override bool IsWhole => false;

    public override ReadOnlyMemory<byte>? Write(ConsoleFrame frame) =>
        frame is ConsoleFrame.Data data ? data.Bytes : null;

    public override ConsoleFrame? Read(ReadOnlyMemory<byte> message) => new ConsoleFrame.Data(message);
}

/// <summary>A byte that says what follows: input and outputs, sizes, the exit code; numbers are big-endian.</summary>
internal sealed class ExecWire : ConsoleWire
{
    public const string Name = "gantry.exec.v1";

    private const byte Input = 0;
    private const byte Output = 1;
    private const byte Error = 2;
    private const byte EndOfInput = 3;
    private const byte Resize = 4;
    private const byte Exit = 5;

    private readonly byte[] _message = new byte[1 + ConsoleFrame.MostBytes];

    public override string Protocol => Name;

    public override bool TakesText => false;

    public override bool IsWhole => true;

    public override ReadOnlyMemory<byte>? Write(ConsoleFrame frame) => frame switch
    {
        ConsoleFrame.Data data => Join(Output, data.Bytes.Span),
        ConsoleFrame.ErrorData data => Join(Error, data.Bytes.Span),
        ConsoleFrame.Ended { End: ConsoleEnd.Finished { ExitCode: { } code } } => ExitOf(code),
        _ => null,
    };

    public override ConsoleFrame? Read(ReadOnlyMemory<byte> message)
    {
        if (message.IsEmpty)
            return null;
        var rest = message[1..];
        return message.Span[0] switch
        {
            Input => new ConsoleFrame.Data(rest),
            EndOfInput when rest.IsEmpty => new ConsoleFrame.EndOfInput(),
            Resize when rest.Length == 4 => SizeOf(rest.Span),
            _ => null,
        };
    }

    private static ConsoleFrame.Resize? SizeOf(ReadOnlySpan<byte> bytes)
    {
        var columns = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        var rows = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        return columns is > 0 and <= ConsoleTerminal.LongestSide && rows is > 0 and <= ConsoleTerminal.LongestSide
            ? new ConsoleFrame.Resize(columns, rows) : null;
    }

    private ReadOnlyMemory<byte> ExitOf(int code)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, code);
        return Join(Exit, bytes);
    }

    private ReadOnlyMemory<byte> Join(byte kind, ReadOnlySpan<byte> rest)
    {
        _message[0] = kind;
        rest.CopyTo(_message.AsSpan(1));
        return _message.AsMemory(0, 1 + rest.Length);
    }
}
