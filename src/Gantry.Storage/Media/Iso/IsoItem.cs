namespace Gantry.Storage.Media;

/// <summary>One file or folder of an image being written, with its names and addresses.</summary>
internal sealed class IsoItem(string path, string name, MediaNode node)
{
    public string Path { get; } = path;

    public string Name { get; } = name;

    public MediaNode Node { get; } = node;

    /// <summary>The root is its own parent, as in ECMA-119.</summary>
    public IsoItem Parent { get; set; } = null!;

    public List<IsoItem> Children { get; } = [];

    public bool IsDirectory => Node is MediaNode.Directory;

    public long Length => Node is MediaNode.File file ? file.Content.Length : 0;

    /// <summary>Bytes made while writing instead of the content: boot catalogue and patched boot image.</summary>
    public byte[]? Generated { get; set; }

    /// <summary>First sector of the content.</summary>
    public uint DataSector { get; set; }
}
