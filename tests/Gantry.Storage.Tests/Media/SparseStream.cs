namespace Gantry.Storage.Tests.Media;

/// <summary>Gigabytes without a disk: keeps only 64 KiB pages that hold more than zeros. A fresh one ends in "the end.".</summary>
internal sealed class SparseStream : Stream
{
    private const int Page = 1 << 16;
    private readonly Dictionary<long, byte[]> _pages = [];
    private long _length;

    public SparseStream(long length)
    {
        if (length == 0) return;
        Position = length - 8;
        Write("the end."u8);
        Position = 0;
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => true;

    public override long Length => _length;

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        int inPage = (int)(Position % Page);
        int count = (int)Math.Min(Math.Min(buffer.Length, Page - inPage), _length - Position);
        if (count <= 0) return 0;
        if (_pages.TryGetValue(Position / Page, out byte[]? page)) page.AsSpan(inPage, count).CopyTo(buffer);
        else buffer[..count].Clear();
        Position += count;
        return count;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            int inPage = (int)(Position % Page);
            int count = Math.Min(buffer.Length, Page - inPage);
            if (buffer[..count].ContainsAnyExcept((byte)0))
            {
                if (!_pages.TryGetValue(Position / Page, out byte[]? page))
                    _pages[Position / Page] = page = new byte[Page];
                buffer[..count].CopyTo(page.AsSpan(inPage));
            }
            Position += count;
            _length = Math.Max(_length, Position);
            buffer = buffer[count..];
        }
    }

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
