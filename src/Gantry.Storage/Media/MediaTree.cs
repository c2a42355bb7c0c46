using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// What is to be on a medium: files, folders, symbolic links and device nodes by path. Paths use '/', a leading one
/// is ignored, '.', '..' and empty names are refused; missing folders are made with mode 0755. Order of adding does
/// not matter: the same tree gives the same bytes. Not safe for use by several threads at once.
/// </summary>
public sealed class MediaTree
{
    /// <summary>More than any installer holds; keeps a mistaken folder from filling memory.</summary>
    public const int MaxEntries = 1_000_000;

    /// <summary>Linux' PATH_MAX less the ending zero.</summary>
    public const int MaxLinkBytes = 4095;

    private const int MaxNameBytes = 255;
    private const int MaxDepth = 100;

    public MediaTree()
    {
        Root = new MediaTreeNode("", new MediaNode.Directory { Permissions = MediaModes.Executable });
    }

    /// <summary>Number of entries, the root not counted.</summary>
    public int Count { get; private set; }

    internal MediaTreeNode Root { get; }

    /// <summary>Puts a node at a path.</summary>
    /// <param name="replace">Whether an existing non-folder may be replaced; a folder only takes new
    /// attributes.</param>
    /// <exception cref="MediaException">Bad path, or something of another kind is there.</exception>
    public MediaTree Add(string path, MediaNode node, bool replace = false)
    {
        Check(path, node);
        string[] names = Split(path);
        MediaTreeNode parent = Root;
        for (int i = 0; i < names.Length - 1; i++)
        {
            if (!parent.Children.TryGetValue(names[i], out MediaTreeNode? next))
            {
                next = Insert(parent, names[i], new MediaNode.Directory { Permissions = MediaModes.Executable });
            }
            else if (next.Node is not MediaNode.Directory)
            {
                throw new MediaException($"cannot put '{path}' on the medium: '{next.Path}' is not a folder there");
            }
            parent = next;
        }
        if (!parent.Children.TryGetValue(names[^1], out MediaTreeNode? existing))
        {
            Insert(parent, names[^1], node);
            return this;
        }
        bool bothFolders = existing.Node is MediaNode.Directory && node is MediaNode.Directory;
        bool neitherFolder = existing.Node is not MediaNode.Directory && node is not MediaNode.Directory;
        if (!bothFolders && !(neitherFolder && replace))
            throw new MediaException($"'{path}' is on the medium twice; give each file another path");
        existing.Node = node;
        return this;
    }

    public MediaTree AddFile(string path, MediaContent content, UnixFileMode permissions = MediaModes.File) =>
        Add(path, new MediaNode.File(content) { Permissions = permissions });

    public MediaTree AddDirectory(string path, UnixFileMode permissions = MediaModes.Executable) =>
        Add(path, new MediaNode.Directory { Permissions = permissions });

    public MediaTree AddSymlink(string path, string target) =>
        Add(path, new MediaNode.Symlink(target) { Permissions = MediaModes.Link });

    public MediaTree AddDevice(
        string path, MediaDeviceKind kind, uint major, uint minor, UnixFileMode permissions = MediaModes.File) =>
        Add(path, new MediaNode.Device(kind, major, minor) { Permissions = permissions });

    /// <summary>
    /// Adds a file or a folder with all below it from the host, with modes and links as they are there. Owners and
    /// times are not taken over: they would make the medium depend on the host.
    /// </summary>
    /// <param name="path">Where it goes; empty for the root, when hostPath is a folder.</param>
    /// <exception cref="MediaException">Nothing there, or a socket, pipe or device among it.</exception>
    public MediaTree AddHostPath(string hostPath, string path)
    {
        HostTreeImport.Add(this, hostPath, path);
        return this;
    }

    /// <summary>The node at a path, or null. Names are compared exactly.</summary>
    public MediaNode? Find(string path)
    {
        MediaTreeNode? node = Root;
        foreach (string name in Split(path))
        {
            if (!node.Children.TryGetValue(name, out node)) return null;
        }
        return node.Node;
    }

    /// <summary>
    /// All entries, sorted by name in each folder, a folder before what is in it; the root is left out.
    /// </summary>
    public IEnumerable<MediaEntry> Entries() =>
        Root.Descendants().Select(node => new MediaEntry(node.Path, node.Node));

    internal static string[] Split(string path)
    {
        string trimmed = path.Trim('/');
        if (trimmed.Length == 0) throw new MediaException("a path on a medium must not be empty");
        string[] names = trimmed.Split('/');
        if (names.Length > MaxDepth)
            throw new MediaException($"'{path}' is {names.Length} folders deep, at most {MaxDepth} are supported");
        foreach (string name in names)
        {
            if (name is "" or "." or "..")
                throw new MediaException(
                    $"'{path}' is not a path on a medium: it must have no '.', '..' or empty name");
            if (name.Contains('\0', StringComparison.Ordinal) || HasLoneSurrogate(name))
                throw new MediaException($"'{path}' is not a path on a medium: it has a NUL or is not valid Unicode");
            if (Encoding.UTF8.GetByteCount(name) > MaxNameBytes)
                throw new MediaException($"'{path}' has a name of more than {MaxNameBytes} bytes");
        }
        return names;
    }

    private static void Check(string path, MediaNode node)
    {
        if (node is MediaNode.Symlink link)
        {
            int length = Encoding.UTF8.GetByteCount(link.Target);
            if (length is 0 or > MaxLinkBytes || link.Target.Contains('\0', StringComparison.Ordinal)
                || HasLoneSurrogate(link.Target))
                throw new MediaException($"the link '{path}' needs a target of 1 to {MaxLinkBytes} bytes without NUL");
        }
        if ((node.Permissions & ~MediaModes.PermissionBits) != 0)
            throw new MediaException($"'{path}' has permission bits beyond the twelve that POSIX knows");
    }

    private static bool HasLoneSurrogate(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return true;
            i++;
        }
        return false;
    }

    private MediaTreeNode Insert(MediaTreeNode parent, string name, MediaNode node)
    {
        if (Count >= MaxEntries) throw new MediaException($"a medium may hold at most {MaxEntries} files and folders");
        var child = new MediaTreeNode(parent.Path.Length == 0 ? name : $"{parent.Path}/{name}", node);
        parent.Children.Add(name, child);
        Count++;
        return child;
    }
}

/// <summary>A node with its children, sorted by name: what the writers walk.</summary>
internal sealed class MediaTreeNode(string path, MediaNode node)
{
    public string Path { get; } = path;

    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    public MediaNode Node { get; set; } = node;

    public SortedDictionary<string, MediaTreeNode> Children { get; } = new(StringComparer.Ordinal);

    public IEnumerable<MediaTreeNode> Descendants()
    {
        foreach (MediaTreeNode child in Children.Values)
        {
            yield return child;
            foreach (MediaTreeNode below in child.Descendants()) yield return below;
        }
    }
}
