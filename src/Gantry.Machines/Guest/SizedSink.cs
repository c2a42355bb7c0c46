using System.Globalization;
using System.Text;

namespace Gantry.Machines.Guest;

/// <summary>Takes a line with a number of bytes, then those bytes, which it writes on.</summary>
internal sealed class SizedSink(Stream destination, Action<long>? progress)
{
    private const int MaxNumberLength = 32;

    private readonly StringBuilder _number = new();
    private bool _headed;

    /// <summary>null until a whole line with a number has come.</summary>
    public long? Announced { get; private set; }

    public long Received { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!_headed && bytes.Length > 0)
        {
            var c = (char)bytes[0];
            bytes = bytes[1..];
            if (c != '\n' && _number.Length < MaxNumberLength)
            {
                _number.Append(c);
                continue;
            }

            _headed = true;
            if (long.TryParse(_number.ToString().Trim(), CultureInfo.InvariantCulture, out var size))
                Announced = size;
        }

        if (bytes.Length == 0 || Announced is null)
            return;
        destination.Write(bytes);
        Received += bytes.Length;
        progress?.Invoke(Received);
    }
}

/// <summary>Counts what passes through another stream, which it does not own.</summary>
internal sealed class CountingStream(Stream inner, Action<long>? progress) : Stream
{
    public long Count { get; private set; }

    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => inner.CanWrite;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Add(inner.Read(buffer, offset, count));

    public override async ValueTask<int> ReadAsync(
        Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Add(await inner.ReadAsync(buffer, cancellationToken));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count)
    {
        inner.Write(buffer, offset, count);
        Add(count);
    }

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await inner.WriteAsync(buffer, cancellationToken);
        Add(buffer.Length);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private int Add(int count)
    {
        Count += count;
        if (count > 0)
            progress?.Invoke(Count);
        return count;
    }
}
