using System.Globalization;
using System.IO.Enumeration;
using System.Security.Cryptography;
using System.Text;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.Cache;

/// <summary>Digests of what a build reads on the host, for cache keys and for provenance.</summary>
public static class FileDigests
{
    /// <summary>Files and folders deep; more in one upload is surely a mistake.</summary>
    private const int MostFiles = 100_000;

    /// <summary>SHA-256 in hexadecimal digits.</summary>
    public static async Task<string> OfFileAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, useAsync: false);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false));
    }

    public static string OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>
    /// A file, or every file below a folder, in the order of their paths. Links count by where they point.
    /// Paths are relative to <paramref name="path"/>'s own folder.
    /// </summary>
    /// <exception cref="ProblemException">There is no such file, or far too many.</exception>
    public static async Task<ValueList<FileDigest>> OfTreeAsync(string path, CancellationToken cancellationToken)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        if (File.Exists(path))
            return [await OneAsync(path, name, cancellationToken).ConfigureAwait(false)];
        if (!Directory.Exists(path))
            throw new ProblemException(ProblemKind.NotFound, $"there is no file or folder {path}");
        var found = Below(path).Take(MostFiles + 1).ToList();
        if (found.Count > MostFiles)
            throw new ProblemException(ProblemKind.InvalidInput, $"{path} holds more than {MostFiles} files, too many to upload");
        found.Sort(StringComparer.Ordinal);
        var digests = new List<FileDigest>(found.Count);
        foreach (var entry in found)
        {
            var relative = name + "/" + Path.GetRelativePath(path, entry);
            if (new FileInfo(entry).LinkTarget is { } link)
                digests.Add(new FileDigest(relative, "link", OfText(link)));
            else if (Directory.Exists(entry))
                digests.Add(new FileDigest(relative, Mode(entry), "folder"));
            else
                digests.Add(await OneAsync(entry, relative, cancellationToken).ConfigureAwait(false));
        }

        return [.. digests];
    }

    /// <summary>Content that stands in the template itself.</summary>
    public static FileDigest OfContent(ContentFile content) => new(content.Path, "644", OfText(content.Content));

    /// <summary>One digest over many, for a link of a provenance chain.</summary>
    public static string Combined(IEnumerable<NamedDigest> digests) =>
        OfText(string.Concat(digests.Select(digest => $"{digest.Sha256}  {digest.Name}\n")));

    /// <summary>Everything below a folder; links are not followed, because one may lead back up.</summary>
    private static FileSystemEnumerable<string> Below(string folder) => new(
        folder,
        (ref FileSystemEntry entry) => entry.ToFullPath(),
        new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false })
    {
        ShouldRecursePredicate = (ref FileSystemEntry entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0,
    };

    private static async Task<FileDigest> OneAsync(string path, string name, CancellationToken cancellationToken) =>
        new(name, Mode(path), await OfFileAsync(path, cancellationToken).ConfigureAwait(false));

    private static string Mode(string path) =>
        Convert.ToString((int)File.GetUnixFileMode(path), 8).ToString(CultureInfo.InvariantCulture);
}
