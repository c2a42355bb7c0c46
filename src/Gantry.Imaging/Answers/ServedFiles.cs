using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gantry.Machines.Guest;
using Gantry.Model;
using Gantry.Storage;

namespace Gantry.Imaging.Answers;

/// <summary>What can be asked for: the given texts and the folder's files. Nothing outside the folder is reachable,
/// whatever links lie in it.</summary>
internal sealed class ServedFiles
{
    private const int MaxFiles = 100_000;
    private const int MaxDepth = 32;

    private readonly string? _root;
    private readonly SortedDictionary<string, byte[]> _content = new(StringComparer.Ordinal);

    public ServedFiles(string? directory, IEnumerable<KeyValuePair<string, string>> content)
    {
        foreach (var (path, text) in content)
            _content["/" + path.TrimStart('/')] = Encoding.UTF8.GetBytes(text);
        if (directory is null)
            return;
        if (!Directory.Exists(directory))
        {
            throw new ProblemException(
                ProblemKind.NotFound, $"there is no folder {directory} to serve answer files from", "check http_directory");
        }

        _root = RealPath(directory);
    }

    /// <summary>Opens what a decoded path names; null where there is nothing that may be served.</summary>
    public Stream? Open(string path)
    {
        if (_content.TryGetValue(path, out var bytes))
            return new MemoryStream(bytes, writable: false);
        if (_root is null || path.Contains('\0') || path.Split('/').Any(part => part is ".." or "."))
            return null;
        var file = _root + "/" + path.TrimStart('/');
        // A pipe would block whoever opens it.
        if (FileFacts.Read(file) is not { IsRegular: true })
            return null;
        try
        {
            var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1, FileOptions.Asynchronous);
            // What was opened counts, not what its name led to a moment ago.
            var real = File.ResolveLinkTarget($"/proc/self/fd/{stream.SafeFileHandle.DangerousGetHandle()}", false);
            if (real is not null && IsInside(real.FullName))
                return stream;
            stream.Dispose();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Some of the paths that exist, those most like the asked one first.</summary>
    public IReadOnlyList<string> Suggest(string path, int count)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        return [.. Paths().Take(10_000)
            .OrderByDescending(p => string.Equals(p[(p.LastIndexOf('/') + 1)..], name, StringComparison.OrdinalIgnoreCase))
            .ThenByDescending(p => p.Zip(path).TakeWhile(pair => pair.First == pair.Second).Count())
            .ThenBy(p => p, StringComparer.Ordinal)
            .Take(count)];
    }

    /// <summary>SHA-256 over all paths and contents, in the order of their names.</summary>
    public async Task<string> DigestAsync(CancellationToken cancellationToken)
    {
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in Paths().Order(StringComparer.Ordinal))
        {
            await using var stream = Open(path);
            if (stream is null)
                continue;
            var digest = await SHA256.HashDataAsync(stream, cancellationToken);
            var name = Encoding.UTF8.GetBytes(path);
            whole.AppendData(Encoding.ASCII.GetBytes(name.Length.ToString(CultureInfo.InvariantCulture) + ":"));
            whole.AppendData(name);
            whole.AppendData(digest);
        }

        return Convert.ToHexStringLower(whole.GetHashAndReset());
    }

    private IEnumerable<string> Paths()
    {
        foreach (var path in _content.Keys)
            yield return path;
        if (_root is null)
            yield break;
        var count = 0;
        foreach (var path in Beneath(_root, "", 0))
        {
            if (++count > MaxFiles)
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput,
                    $"{_root} holds more than {MaxFiles} files, too many to serve to a build",
                    "serve a folder that holds only the answer files");
            }

            if (!_content.ContainsKey(path))
                yield return path;
        }
    }

    private IEnumerable<string> Beneath(string folder, string prefix, int depth)
    {
        if (depth > MaxDepth)
            yield break;
        foreach (var info in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            var target = info.LinkTarget is null ? info : info.ResolveLinkTarget(returnFinalTarget: true);
            if (target is not { Exists: true } || (info.LinkTarget is not null && !IsInside(RealPath(target.FullName))))
                continue;
            var path = $"{prefix}/{info.Name}";
            if (target is not DirectoryInfo)
            {
                yield return path;
                continue;
            }

            foreach (var inner in Beneath(info.FullName, path, depth + 1))
                yield return inner;
        }
    }

    private bool IsInside(string real) => real.StartsWith(_root! + "/", StringComparison.Ordinal);

    private static string RealPath(string path)
    {
        var real = "/";
        foreach (var part in Path.GetFullPath(path).Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = Path.Combine(real, part);
            var target = Directory.Exists(next)
                ? Directory.ResolveLinkTarget(next, returnFinalTarget: true)
                : File.ResolveLinkTarget(next, returnFinalTarget: true);
            real = target is null ? next : RealPath(target.FullName);
        }

        return real;
    }
}
