using System.Security.Cryptography;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// The lists of checksums in the root of installer images (Debian's and Ubuntu's md5sum.txt, live images'
/// sha256sum.txt): lines "digest ./path". Installers check themselves against them.
/// </summary>
internal static class ChecksumLists
{
    private const int MaxList = 64 << 20;

    private static readonly (string Path, HashAlgorithmName Algorithm)[] Lists =
        [("md5sum.txt", HashAlgorithmName.MD5), ("sha256sum.txt", HashAlgorithmName.SHA256)];

    /// <summary>Adds new lists to the changes, with the digests of all that changes.</summary>
    public static async Task RenewAsync(
        IsoReader reader, MediaTree changes, DateTimeOffset time, CancellationToken cancellation)
    {
        foreach ((string path, HashAlgorithmName algorithm) in Lists)
        {
            if (reader.Find(path) is not { Kind: IsoEntryKind.File } list || changes.Find(path) is not null) continue;
            var digests = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (MediaEntry entry in changes.Entries())
            {
                if (entry.Node is not MediaNode.File file || Lists.Any(other => other.Path == entry.Path)) continue;
                digests[entry.Path] = await DigestAsync(file.Content, entry.Path, algorithm, cancellation)
                    .ConfigureAwait(false);
            }
            byte[] renewed = Renew(reader.ReadAll(list, MaxList), digests);
            changes.Add(
                list.Path,
                new MediaNode.File(MediaContent.FromBytes(renewed))
                {
                    Permissions = list.Permissions,
                    ModifiedAt = time,
                },
                replace: true);
        }
    }

    /// <summary>
    /// The BIOS image's bytes depend on where it lies (boot-info table), so its digest is known only when the image is
    /// written. Digests have a fixed length: they are put in place.
    /// </summary>
    public static void PatchBootImages(string image)
    {
        using var file = new FileStream(image, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        using IsoReader reader = IsoReader.Open(file, leaveOpen: true);
        string[] paths = [.. reader.BootEntries().Select(entry => entry.Path).OfType<string>()];
        foreach ((string path, HashAlgorithmName algorithm) in Lists)
        {
            if (reader.Find(path) is not { Kind: IsoEntryKind.File, Extents.Count: 1 } list) continue;
            byte[] old = reader.ReadAll(list, MaxList);
            var digests = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (string boot in paths)
            {
                using Stream content = reader.OpenRead(boot);
                digests[boot] = Digest(content, algorithm);
            }
            byte[] renewed = Renew(old, digests, add: false);
            if (renewed.AsSpan().SequenceEqual(old) || renewed.Length != old.Length) continue;
            file.Position = list.Extents[0].Offset;
            file.Write(renewed);
        }
    }

    /// <summary>Replaces the digests of known paths and, if asked, adds lines for the others.</summary>
    public static byte[] Renew(byte[] list, IReadOnlyDictionary<string, string> digests, bool add = true)
    {
        string text = Encoding.Latin1.GetString(list);
        var missing = digests.Keys.ToDictionary(
            path => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(path)), path => path);
        var result = new StringBuilder(text.Length + 100 * digests.Count);
        int at = 0;
        while (at < text.Length)
        {
            int end = text.IndexOf('\n', at);
            end = end < 0 ? text.Length : end + 1;
            string line = text[at..end];
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            // "digest  name" or "digest *name".
            string name = space > 0 && space + 2 < line.Length ? line[(space + 2)..].TrimEnd('\r', '\n') : "";
            string clean = name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
            if (missing.Remove(clean, out string? path))
                result.Append(digests[path]).Append(line, space, line.Length - space);
            else result.Append(line);
            at = end;
        }
        if (!add) return Encoding.Latin1.GetBytes(result.ToString());
        if (result.Length > 0 && result[^1] != '\n') result.Append('\n');
        foreach ((string name, string path) in missing.OrderBy(pair => pair.Value, StringComparer.Ordinal))
            result.Append(digests[path]).Append("  ./").Append(name).Append('\n');
        return Encoding.Latin1.GetBytes(result.ToString());
    }

    private static async Task<string> DigestAsync(
        MediaContent content, string path, HashAlgorithmName algorithm, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(algorithm);
        await content.CopyToAsync(new HashingStream(hash), path, cancellation).ConfigureAwait(false);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Digest(Stream content, HashAlgorithmName algorithm)
    {
        using var hash = IncrementalHash.CreateHash(algorithm);
        content.CopyTo(new HashingStream(hash));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private sealed class HashingStream(IncrementalHash hash) : WriteOnlyStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => hash.AppendData(buffer);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            hash.AppendData(buffer.Span);
            return ValueTask.CompletedTask;
        }
    }
}
