using System.Globalization;
using Gantry.Model;

namespace Gantry.Storage.Images;

/// <summary>A part of a file, in bytes: a disk within an archive.</summary>
public sealed record FilePart(long Offset, long Length);

/// <summary>An image for qemu-img to read. Its format is stated, so that nothing is probed.</summary>
public sealed record DiskImageSource
{
    private const int SectorSize = 512;

    /// <summary>Absolute.</summary>
    public required string Path { get; init; }

    public required DiskImageFormat Format { get; init; }

    /// <summary>Where the image lies in the file; null for all of it.</summary>
    public FilePart? Part { get; init; }

    /// <summary>What says to qemu-img how to open it; the last is the image itself.</summary>
    internal IEnumerable<string> Arguments() => Part is { } part
        ? ["--image-opts", "--", Options(part)]
        : ["-f", Format.QemuName(), "--", Path];

    /// <summary>QEMU reads whole sectors. What an archive has after a file is padded to them.</summary>
    private string Options(FilePart part)
    {
        var length = (part.Length + SectorSize - 1) / SectorSize * SectorSize;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"driver={Format.QemuName()},file.driver=raw,file.offset={part.Offset},file.size={length},"
            + $"file.file.driver=file,file.file.filename={Path.Replace(",", ",,", StringComparison.Ordinal)}");
    }
}

/// <summary>A part of a file as a stream of its own: seekable, and only for reading.</summary>
internal sealed class FilePartStream(FileStream file, FilePart part) : ReadOnlyStream
{
    private long _position;

    public override bool CanSeek => true;

    public override long Length => part.Length;

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    /// <summary>Opens a file, or a part of it.</summary>
    /// <exception cref="ProblemException">There is no such file, or it can't be read.</exception>
    public static Stream Open(string path, FilePart? part)
    {
        if (FileFacts.Read(path) is not { } facts)
            throw new ProblemException(ProblemKind.NotFound, $"there is no disk image {path}", "check the path");
        if (!facts.IsRegular)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                Directory.Exists(path) ? $"{path} is a folder, not a disk image" : $"{path} is no ordinary file",
                "give a file");
        }

        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            return part is null ? file : new FilePartStream(file, part);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(ProblemKind.InvalidInput, $"{path} can't be read: {e.Message}", inner: e);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var count = RandomAccess.Read(file.SafeFileHandle, Cut(buffer), part.Offset + _position);
        _position += count;
        return count;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var rest = (int)Math.Clamp(part.Length - _position, 0, buffer.Length);
        var count = await RandomAccess
            .ReadAsync(file.SafeFileHandle, buffer[..rest], part.Offset + _position, cancellationToken)
            .ConfigureAwait(false);
        _position += count;
        return count;
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => part.Length + offset,
    };

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            file.Dispose();
        base.Dispose(disposing);
    }

    private Span<byte> Cut(Span<byte> buffer) => buffer[..(int)Math.Clamp(part.Length - _position, 0, buffer.Length)];
}
