using System.Buffers.Binary;

namespace Gantry.Storage.Media;

/// <summary>Bounded reading of an image's bytes; everything beyond its end is a format error, not an exception of the stream.</summary>
internal sealed class IsoImage(Stream stream)
{
    public long Length { get; } = stream.Length;

    public byte[] ReadSector(uint sector, string what) =>
        Read((long)sector * IsoConstants.SectorSize, IsoConstants.SectorSize, what);

    public byte[] Read(long offset, int length, string what)
    {
        if (offset < 0 || offset + length > Length)
            throw new IsoFormatException(
                $"{what} should be at bytes {offset} to {offset + length}, but the image has only {Length} bytes");
        byte[] bytes = new byte[length];
        stream.Position = offset;
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Reads what is there, for the streams of files; 0 at the end.</summary>
    public int ReadSome(long offset, Span<byte> target)
    {
        stream.Position = offset;
        return stream.Read(target);
    }

    public async ValueTask<int> ReadSomeAsync(long offset, Memory<byte> target, CancellationToken cancellation)
    {
        stream.Position = offset;
        return await stream.ReadAsync(target, cancellation).ConfigureAwait(false);
    }

    public static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    public static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}

/// <summary>
/// A file's bytes, read from its extents. Several such streams of one reader share the reader's stream: use them from
/// one thread at a time.
/// </summary>
internal sealed class IsoFileStream(IsoImage image, IReadOnlyList<IsoExtent> extents) : Stream
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
        return Advance(image.ReadSome(offset, buffer[..count]));
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        (long offset, int count) = Locate(buffer.Length);
        if (count == 0) return 0;
        return Advance(await image.ReadSomeAsync(offset, buffer[..count], cancellationToken).ConfigureAwait(false));
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
        foreach (IsoExtent extent in extents)
        {
            if (start < extent.Length) return (extent.Offset + start, (int)Math.Min(wanted, extent.Length - start));
            start -= extent.Length;
        }
        return (0, 0);
    }

    private int Advance(int got)
    {
        // Extents were checked against the image's length when the file was opened: the file shrank since.
        if (got == 0) throw new IsoFormatException("the image became shorter while it was being read");
        _position += got;
        return got;
    }
}
