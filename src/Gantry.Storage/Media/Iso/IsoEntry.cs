namespace Gantry.Storage.Media;

/// <summary>Whose names an <see cref="IsoReader"/> shows.</summary>
public enum IsoNames
{
    /// <summary>Upper-case names of plain ISO 9660, without version and empty extension.</summary>
    Plain,

    /// <summary>Unicode names, no modes and links.</summary>
    Joliet,

    /// <summary>POSIX names, modes, owners, links.</summary>
    RockRidge,
}

public enum IsoEntryKind
{
    File,
    Directory,
    Symlink,
    Device,
}

/// <summary>One file, folder, link or device of an image. Equality is by path.</summary>
public sealed class IsoEntry : IEquatable<IsoEntry>
{
    /// <summary>Path below the root with '/' between names; empty for the root.</summary>
    public required string Path { get; init; }

    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    public required IsoEntryKind Kind { get; init; }

    /// <summary>Bytes of a file's content; 0 for all else.</summary>
    public required long Length { get; init; }

    /// <summary>The twelve permission bits; without Rock Ridge 0555 for folders and 0444 for files.</summary>
    public required UnixFileMode Permissions { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    /// <summary>Null where the image has an impossible date.</summary>
    public DateTimeOffset? ModifiedAt { get; init; }

    /// <summary>A symbolic link's target as it is written; null for all else.</summary>
    public string? LinkTarget { get; init; }

    /// <summary>A device's numbers; null for all else.</summary>
    public (MediaDeviceKind Kind, uint Major, uint Minor)? Device { get; init; }

    /// <summary>Where a file's bytes lie, in order.</summary>
    public required IReadOnlyList<MediaExtent> Extents { get; init; }

    /// <summary>First sector and byte length of a folder's records.</summary>
    internal (uint Sector, uint Length) Folder { get; init; }

    public bool Equals(IsoEntry? other) => other is not null && other.Path == Path;

    public override bool Equals(object? obj) => Equals(obj as IsoEntry);

    public override int GetHashCode() => Path.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => $"/{Path} ({Kind}, {Length} bytes)";
}

/// <summary>One image of El Torito's boot catalogue.</summary>
public sealed record IsoBootEntry
{
    /// <summary>0 for BIOS, 0xEF for EFI.</summary>
    public required byte Platform { get; init; }

    public required bool Bootable { get; init; }

    /// <summary>0: no emulation; 1 to 3: floppies; 4: hard disk.</summary>
    public required byte MediaType { get; init; }

    /// <summary>
    /// 512-byte sectors that the BIOS loads; for EFI the length of the image, sometimes 0 or 1 for "unknown".
    /// </summary>
    public required ushort LoadSectors { get; init; }

    /// <summary>Byte offset of the image in the ISO.</summary>
    public required long Offset { get; init; }

    /// <summary>The file with these bytes, or null when the image is not among the files.</summary>
    public string? Path { get; init; }
}
