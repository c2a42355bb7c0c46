using System.Formats.Tar;
using System.Security.Cryptography;
using Gantry.Model;
using Gantry.Storage.Images;

namespace Gantry.Storage.Appliances;

/// <summary>One file of a package, where it lies.</summary>
/// <param name="Name">In the package.</param>
/// <param name="Path">The file on this host that holds it, absolute.</param>
/// <param name="Part">Where in that; null for all of it.</param>
/// <param name="Length">Bytes.</param>
public sealed record ApplianceFile(string Name, string Path, FilePart? Part, long Length);

/// <summary>
/// An OVF package: an OVA archive, or a descriptor with its files beside it. Nothing is unpacked; the files of an
/// archive are read where they lie in it.
/// </summary>
public sealed class AppliancePackage
{
    private readonly Dictionary<string, ApplianceFile> _files;
    private readonly IReadOnlyDictionary<string, FileDigest> _digests;

    private AppliancePackage(
        string path, OvfDescriptor descriptor, Dictionary<string, ApplianceFile> files, IReadOnlyDictionary<string,
        FileDigest> digests)
    {
        Path = path;
        Descriptor = descriptor;
        _files = files;
        _digests = digests;
    }

    public string Path { get; }

    public OvfDescriptor Descriptor { get; }

    /// <summary>Whether it has a manifest, which then has a digest for every file that is read.</summary>
    public bool HasManifest => _digests.Count > 0;

    public bool HasCertificate { get; private init; }

    /// <summary>Whether a file is called as a package is: <c>.ova</c> or <c>.ovf</c>.</summary>
    public static bool IsPackageName(string path) =>
        System.IO.Path.GetExtension(path).ToLowerInvariant() is ".ova" or ".ovf";

    /// <summary>
    /// Whether a file begins like a tar archive, as an OVA is one; false where there is no such file.
    /// </summary>
    public static bool IsArchive(string path)
    {
        const int MagicOffset = 257;
        if (FileFacts.Read(path) is not { IsRegular: true })
            return false;
        using var file = FilePartStream.Open(path, null);
        Span<byte> magic = stackalloc byte[5];
        file.Position = MagicOffset;
        return file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && magic.SequenceEqual(
            "ustar"u8);
    }

    /// <summary>Reads the package's list of files, its descriptor and its manifest, and checks the one against the
    /// others.
    /// </summary>
    /// <param name="path">The archive or the descriptor, absolute.</param>
    /// <exception cref="ProblemException">It is damaged, incomplete, or hostile; nothing was written.</exception>
    public static AppliancePackage Open(string path)
    {
        var isArchive = !System.IO.Path.GetExtension(path).Equals(".ovf", StringComparison.OrdinalIgnoreCase);
        var files = isArchive ? ReadArchive(path) : ReadFolder(path);
        var name = isArchive ? DescriptorIn(files, path) : System.IO.Path.GetFileName(path);
        var content = ReadSmall(files[name], OvfReader.LargestSize);
        var descriptor = OvfReader.Read(content, name);
        var stem = System.IO.Path.GetFileNameWithoutExtension(name);
        IReadOnlyDictionary<string, FileDigest> digests = new Dictionary<string, FileDigest>();
        if (Find(files, path, stem + ".mf") is { } manifest)
        {
            digests = OvfManifest.Read(ReadSmall(manifest, OvfManifest.LargestSize), manifest.Name);
            CheckCovered(manifest.Name, digests, files, name, isArchive);
            Verify(name, digests[name], Hash(digests[name].Algorithm, content));
        }

        foreach (var file in descriptor.Files)
            CheckFile(files, path, file, digests);
        return new AppliancePackage(path, descriptor, files, digests)
        {
            HasCertificate = Find(files, path, stem + ".cert") is not null,
        };
    }

    /// <summary>A name that stays within the package on any host.</summary>
    internal static bool IsName(string name) => VmdkDescriptor.IsPlainName(name);

    public ApplianceFile File(string name) => _files[name];

    /// <summary>The digest that the manifest gives a file; null without a manifest.</summary>
    public FileDigest? Digest(string name) => _digests.GetValueOrDefault(name);

    /// <exception cref="ProblemException">The two differ.</exception>
    public static void Verify(string name, FileDigest expected, string found)
    {
        if (expected.Hex == found)
            return;
        throw new ProblemException(
            ProblemKind.InvalidInput,
            $"{name} is not what its package's manifest says: expected {expected.Algorithm} {expected.Hex}, found "
                + $"{found}",
            "copy or download the package again");
    }

    private static Dictionary<string, ApplianceFile> ReadArchive(string path)
    {
        using var opened = FilePartStream.Open(path, null);
        using var bounded = new TarHeaderStream(opened);
        var files = new Dictionary<string, ApplianceFile>(StringComparer.Ordinal);
        try
        {
            using var tar = new TarReader(bounded, leaveOpen: true);
            while (tar.GetNextEntry() is { } entry)
            {
                var name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
                if (entry.EntryType is TarEntryType.GlobalExtendedAttributes || (
                    entry.EntryType is TarEntryType.Directory && name.Length == 0))
                    continue;
                CheckEntry(path, entry, name, opened.Length);
                if (!files.TryAdd(
                    name, new ApplianceFile(name, path, new FilePart(entry.DataOffset, entry.Length), entry.Length)))
                    throw Bad(path, $"has the file {name} twice");
                if (files.Count > TarHeaderStream.MostEntries)
                    throw Bad(path, $"has more than {TarHeaderStream.MostEntries} files");
            }
        }
        catch (Exception e) when (
            e is InvalidDataException or EndOfStreamException or FormatException or OverflowException or IOException
                or ArgumentException)
        {
            throw Bad(path, $"is no tar archive that can be read: {e.Message}", e);
        }

        return files;
    }

    private static void CheckEntry(string path, TarEntry entry, string name, long length)
    {
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            throw Bad(path, $"has an entry '{Cut(name)}' that is no ordinary file ({entry.EntryType})");
        if (!IsName(name))
            throw Bad(path, $"has an entry '{Cut(name)}', and may only have files without a path");
        if (entry.Length < 0 || entry.DataOffset < 0 || entry.DataOffset > length
            || entry.Length > length - entry.DataOffset)
        {
            throw Bad(
                path,
                $"is cut short: its file {name} is said to have {entry.Length} bytes, and {length} are all that "
                    + "the archive has");
        }
    }

    private static Dictionary<string, ApplianceFile> ReadFolder(string path) => new(StringComparer.Ordinal)
    {
        [System.IO.Path.GetFileName(path)] = FileBeside(path, System.IO.Path.GetFileName(path))
            ?? throw new ProblemException(ProblemKind.NotFound, $"there is no file {path}", "check the path"),
    };

    private static string DescriptorIn(Dictionary<string, ApplianceFile> files, string path)
    {
        var descriptors = files.Keys.Where(name => name.EndsWith(".ovf", StringComparison.OrdinalIgnoreCase)).ToList();
        return descriptors switch
        {
            [var only] => only,
            [] => throw Bad(path, "has no .ovf descriptor"),
            _ => throw Bad(path, "has several .ovf descriptors"),
        };
    }

    /// <summary>A file of the archive, or one beside the descriptor.</summary>
    private static ApplianceFile? Find(Dictionary<string, ApplianceFile> files, string path, string name)
    {
        if (files.TryGetValue(name, out var known))
            return known;
        if (files.Values.First().Part is not null || FileBeside(path, name) is not { } beside)
            return null;
        return files[name] = beside;
    }

    private static ApplianceFile? FileBeside(string path, string name)
    {
        var full = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, name);
        if (new FileInfo(full).LinkTarget is not null)
            throw Bad(path, $"takes content from {full}, which is a link");
        return FileFacts.Read(full) is { IsRegular: true } facts ? new ApplianceFile(name, full, null, facts.Size)
            : null;
    }

    private static void CheckCovered(
        string manifest, IReadOnlyDictionary<string, FileDigest> digests, Dictionary<string, ApplianceFile> files,
        string descriptor,
        bool isArchive)
    {
        if (!digests.ContainsKey(descriptor))
            throw Bad(manifest, $"has no digest of {descriptor}");
        if (isArchive && digests.Keys.FirstOrDefault(name => !files.ContainsKey(name)) is { } missing)
            throw Bad(manifest, $"names a file that is missing: {Cut(missing)}");
    }

    private static void CheckFile(
        Dictionary<string, ApplianceFile> files, string path, OvfFile file, IReadOnlyDictionary<string,
        FileDigest> digests)
    {
        if (Find(files, path, file.Name) is not { } found)
        {
            throw new ProblemException(
                ProblemKind.NotFound, $"{path} names the file {file.Name}, which is missing",
                "put all files of the package together, or export it again");
        }

        if (file.Size is { } size && size != found.Length)
            throw Bad(path, $"says that its file {file.Name} has {size} bytes, and it has {found.Length}");
        if (digests.Count > 0 && !digests.ContainsKey(file.Name))
            throw Bad(path, $"has a manifest without a digest of {file.Name}");
    }

    private static byte[] ReadSmall(ApplianceFile file, int largest)
    {
        if (file.Length > largest)
            throw Bad(file.Name, $"has {file.Length} bytes, more than the {largest} that such a file may have");
        using var stream = FilePartStream.Open(file.Path, file.Part);
        var content = new byte[file.Length];
        stream.ReadExactly(content);
        return content;
    }

    private static string Hash(string algorithm, ReadOnlySpan<byte> content)
    {
        using var hash = SourceHasher.NewHash(algorithm);
        hash.AppendData(content);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Cut(string text) => text.Length > 100 ? text[..100] + "..." : text;

    private static ProblemException Bad(string shown, string what, Exception? inner = null) =>
        new(ProblemKind.InvalidInput, $"{shown} {what}", "export or download the package again", inner: inner);
}
