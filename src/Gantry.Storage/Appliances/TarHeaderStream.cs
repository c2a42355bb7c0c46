namespace Gantry.Storage.Appliances;

/// <summary>
/// What a reader of a tar archive's headers may read: not the files' content, over which it seeks, and no header that
/// is said to be huge. Without that an archive could make it allocate and read whatever it says.
/// </summary>
internal sealed class TarHeaderStream(Stream archive) : ReadOnlyStream
{
    public const int MostEntries = 1000;

    /// <summary>Bytes; an extended header holds a long name or a precise time.</summary>
    private const int LargestHeader = 64 << 10;

    private const long MostRead = 16 << 20;

    private long _read;

    public override bool CanSeek => true;

    public override long Length => archive.Length;

    public override long Position
    {
        get => archive.Position;
        set => archive.Position = value;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (buffer.Length > LargestHeader)
            throw new InvalidDataException($"it has a header of {buffer.Length} bytes, more than {LargestHeader}");
        var count = archive.Read(buffer);
        _read += count;
        return _read <= MostRead ? count : throw new InvalidDataException(
            $"its headers have more than {MostRead} bytes");
    }

    public override long Seek(long offset, SeekOrigin origin) => archive.Seek(offset, origin);
}
