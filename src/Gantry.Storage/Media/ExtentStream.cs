namespace Gantry.Storage.Media;

/// <summary>A contiguous part of a file: byte offset in the image and length in bytes.</summary>
public readonly record struct MediaExtent(long Offset, long Length);

/// <summary>
/// A file's bytes, read from its extents. Several such streams of one reader share the reader's stream: use them from
/// one thread at a time.
/// </summary>
internal sealed class ExtentStream(
    Stream image, IReadOnlyList<MediaExtent> extents, Func<string, MediaFormatException> broken) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; } = extents.Sum(extent => extent.Length);

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        (long offset, int count) = Locate(buffer.Length);
        if (count == 0) return 0;
        image.Position = offset;
        return Advance(image.Read(buffer[..count]));
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        (long offset, int count) = Locate(buffer.Length);
        if (count == 0) return 0;
        image.Position = offset;
        return Advance(await image.ReadAsync(buffer[..count], cancellationToken).ConfigureAwait(false));
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        SeekOrigin.End => Length + offset,
        _ => throw new ArgumentOutOfRangeException(nameof(origin)),
    };

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private (long Offset, int Count) Locate(int wanted)
    {
        long start = _position;
        foreach (MediaExtent extent in extents)
        {
            if (start < extent.Length) return (extent.Offset + start, (int)Math.Min(wanted, extent.Length - start));
            start -= extent.Length;
        }
        return (0, 0);
    }

    private int Advance(int got)
    {
        // Extents were checked against the image's length when the file was opened: the file shrank since.
        if (got == 0) throw broken("the image became shorter while it was being read");
        _position += got;
        return got;
    }
}
