using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>How a cpio archive is written.</summary>
public sealed record CpioOptions
{
    /// <summary>The time of every entry without one of its own; the format has 32 bits of seconds since 1970.</summary>
    public DateTimeOffset Timestamp { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>Compress with gzip, without name and time in its header.</summary>
    public bool Gzip { get; init; }

    /// <summary>Keep the tree's owners; otherwise everything belongs to root, as an initramfs needs.</summary>
    public bool KeepOwners { get; init; }
}

/// <summary>
/// Writes "newc" cpio archives, the form that Linux takes as an initramfs (Documentation/driver-api/early-userspace/
/// buffer-format.rst). Same input, same bytes. Archives may be put one behind the other: the kernel unpacks them all,
/// later files replacing earlier ones.
/// </summary>
public static class CpioWriter
{
    internal const string Magic = "070701";
    internal const string Trailer = "TRAILER!!!";
    internal const int HeaderSize = 110;

    // The size field has 32 bits, and the kernel takes no name above PATH_MAX.
    private const long MaxFile = uint.MaxValue;
    private const int MaxPath = 4095;

    /// <summary>Writes an archive to a file, replacing one of that name once the new one is whole.</summary>
    /// <exception cref="MediaException">A file of 4 GiB or more, a path that is too long, an unreadable
    /// source.</exception>
    public static Task WriteFileAsync(
        MediaTree tree, CpioOptions options, string path, CancellationToken cancellation = default) =>
        MediaFileOutput.WriteAsync(
            path,
            // Compressed archives are smaller; only the uncompressed size is known before.
            options.Gzip ? 0 : Measure(tree),
            (output, cancel) => WriteAsync(tree, options, output, cancel),
            cancellation);

    /// <summary>Writes an archive to a stream, which stays open, padded to 512 bytes.</summary>
    public static async Task WriteAsync(
        MediaTree tree, CpioOptions options, Stream output, CancellationToken cancellation = default)
    {
        if (!options.Gzip)
        {
            await WritePlainAsync(tree, options, output, cancellation).ConfigureAwait(false);
            return;
        }
        var gzip = new GZipStream(output, CompressionLevel.Optimal, leaveOpen: true);
        await using (gzip.ConfigureAwait(false))
        {
            await WritePlainAsync(tree, options, gzip, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The uncompressed size of the archive in bytes.</summary>
    public static long Measure(MediaTree tree)
    {
        long size = Header(Trailer, 0, null, 0, default, false).Length;
        foreach (MediaEntry entry in tree.Entries())
        {
            (_, long length) = Content(entry);
            size += HeaderLength(entry.Path) + IsoBytes.RoundUp(length, 4);
        }
        return IsoBytes.RoundUp(size, 512);
    }

    private static async Task WritePlainAsync(
        MediaTree tree, CpioOptions options, Stream target, CancellationToken cancellation)
    {
        var output = new ProgressStream(target, 0, null);
        uint inode = 0;
        foreach (MediaEntry entry in tree.Entries())
        {
            (MediaContent? content, long length) = Content(entry);
            byte[] header = Header(entry.Path, ++inode, entry.Node, length, options.Timestamp, options.KeepOwners);
            await output.WriteAsync(header, cancellation).ConfigureAwait(false);
            if (content is null) continue;
            await content.CopyToAsync(output, entry.Path, cancellation).ConfigureAwait(false);
            await output.PadToAsync(IsoBytes.RoundUp(output.Done, 4), cancellation).ConfigureAwait(false);
        }
        await output.WriteAsync(Header(Trailer, 0, null, 0, default, false), cancellation).ConfigureAwait(false);
        await output.PadToAsync(IsoBytes.RoundUp(output.Done, 512), cancellation).ConfigureAwait(false);
        await output.FlushAsync(cancellation).ConfigureAwait(false);
    }

    private static (MediaContent? Content, long Length) Content(MediaEntry entry)
    {
        MediaContent? content = entry.Node switch
        {
            MediaNode.File file => file.Content,
            MediaNode.Symlink link => MediaContent.FromText(link.Target),
            _ => null,
        };
        if (content?.Length > MaxFile)
            throw new MediaException(
                $"'{entry.Path}' has {content.Length} bytes, a cpio archive takes at most {MaxFile}");
        if (Encoding.UTF8.GetByteCount(entry.Path) > MaxPath)
            throw new MediaException($"the path '{entry.Path}' is longer than the {MaxPath} bytes of a cpio archive");
        if (entry.Path == Trailer)
            throw new MediaException($"'{Trailer}' marks the end of a cpio archive and cannot be a file's name");
        return (content, content?.Length ?? 0);
    }

    private static int HeaderLength(string path) =>
        IsoBytes.RoundUp(HeaderSize + Encoding.UTF8.GetByteCount(path) + 1, 4);

    private static byte[] Header(
        string path, uint inode, MediaNode? node, long length, DateTimeOffset time, bool keepOwners)
    {
        byte[] name = Encoding.UTF8.GetBytes(path);
        byte[] header = new byte[HeaderLength(path)];
        long seconds = (node?.ModifiedAt ?? time).ToUnixTimeSeconds();
        var device = node as MediaNode.Device;
        uint[] fields =
        [
            inode,
            node is null ? 0 : MediaModes.Full(node),
            keepOwners ? node?.Uid ?? 0 : 0,
            keepOwners ? node?.Gid ?? 0 : 0,
            node is MediaNode.Directory ? 2u : 1u,
            node is null ? 0 : (uint)Math.Clamp(seconds, 0, uint.MaxValue),
            (uint)length,
            0,
            0,
            device?.Major ?? 0,
            device?.Minor ?? 0,
            (uint)name.Length + 1,
            0,
        ];
        var text = new StringBuilder(Magic);
        foreach (uint field in fields) text.Append(field.ToString("X8", CultureInfo.InvariantCulture));
        Encoding.ASCII.GetBytes(text.ToString(), header);
        name.CopyTo(header, HeaderSize);
        return header;
    }
}
