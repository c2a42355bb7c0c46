using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// The bytes of one file on a medium. The length is fixed when the content is described, because every layout is
/// computed before the first byte is written; a source that turns out shorter or longer fails the write.
/// </summary>
public abstract class MediaContent
{
    private MediaContent(long length, string origin)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        Origin = origin;
    }

    /// <summary>Length in bytes.</summary>
    public long Length { get; }

    /// <summary>Where the bytes come from, for messages.</summary>
    public string Origin { get; }

    /// <summary>Opens the bytes for one sequential reading; the caller disposes the stream.</summary>
    public abstract Stream Open();

    public static MediaContent FromBytes(ReadOnlyMemory<byte> bytes) => new Bytes(bytes);

    /// <summary>The text in UTF-8, without a byte order mark.</summary>
    public static MediaContent FromText(string text) => new Bytes(Encoding.UTF8.GetBytes(text));

    /// <summary>A file on the host, read when the medium is written.</summary>
    /// <exception cref="MediaException">There is no such file.</exception>
    public static MediaContent FromFile(string hostPath)
    {
        var info = new FileInfo(hostPath);
        if (!info.Exists) throw new MediaException($"expected a file at '{hostPath}', found none");
        return new HostFile(info.Length, info.FullName);
    }

    /// <summary>
    /// A stream made on demand, such as a file inside another image; it must give exactly length bytes.
    /// </summary>
    public static MediaContent FromFactory(long length, Func<Stream> open, string origin = "a generated stream") =>
        new Factory(length, open, origin);

    internal async Task CopyToAsync(Stream output, string mediaPath, CancellationToken cancellation)
    {
        Stream source;
        try
        {
            source = Open();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MediaException($"cannot read {Origin} for '{mediaPath}': {error.Message}", error);
        }
        await using (source.ConfigureAwait(false))
        {
            await CopyExactlyAsync(source, output, mediaPath, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The whole content in memory; refuses more than limit bytes.</summary>
    internal async Task<byte[]> ReadAllAsync(string mediaPath, int limit, CancellationToken cancellation)
    {
        if (Length > limit)
            throw new MediaException($"'{mediaPath}' has {Length} bytes, expected at most {limit} for this use");
        using var memory = new MemoryStream((int)Length);
        await CopyToAsync(memory, mediaPath, cancellation).ConfigureAwait(false);
        return memory.ToArray();
    }

    private async Task CopyExactlyAsync(Stream source, Stream output, string mediaPath, CancellationToken cancellation)
    {
        byte[] buffer = new byte[(int)Math.Clamp(Length, 1, 1 << 18)];
        long left = Length;
        while (left > 0)
        {
            int wanted = (int)Math.Min(left, buffer.Length);
            int got = await source.ReadAsync(buffer.AsMemory(0, wanted), cancellation).ConfigureAwait(false);
            if (got == 0)
                throw new MediaException(
                    $"{Origin} for '{mediaPath}' ended after {Length - left} bytes, expected {Length}: it changed "
                    + "meanwhile");
            await output.WriteAsync(buffer.AsMemory(0, got), cancellation).ConfigureAwait(false);
            left -= got;
        }
        if (await source.ReadAsync(buffer.AsMemory(0, 1), cancellation).ConfigureAwait(false) != 0)
            throw new MediaException(
                $"{Origin} for '{mediaPath}' has more than the expected {Length} bytes: it changed meanwhile");
    }

    private sealed class Bytes(ReadOnlyMemory<byte> bytes) : MediaContent(bytes.Length, "bytes in memory")
    {
        public override Stream Open() => new MemoryStream(bytes.ToArray(), writable: false);
    }

    private sealed class HostFile(long length, string path) : MediaContent(length, $"the file '{path}'")
    {
        public override Stream Open() =>
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
    }

    private sealed class Factory(long length, Func<Stream> open, string origin) : MediaContent(length, origin)
    {
        public override Stream Open() => open();
    }
}
