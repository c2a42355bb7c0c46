namespace Gantry.Storage.Media;

/// <summary>What a FAT image is to be, beside its files.</summary>
public sealed record FatOptions
{
    /// <summary>The size of a 3.5" high-density floppy in bytes.</summary>
    public const long Floppy1440 = 1440 * 1024;

    /// <summary>1 to 11 characters of a FAT short name or spaces; small letters become capitals.</summary>
    public required string VolumeLabel { get; init; }

    /// <summary>
    /// The time of every file without one of its own, in UTC, 1980 to 2107, to two seconds. An argument so that the
    /// same input gives the same bytes.
    /// </summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>
    /// The image's size in bytes, a multiple of 512; <see cref="Floppy1440"/> gives the floppy's geometry. Null: the
    /// smallest number of MiB that holds the tree. FAT12, FAT16 or FAT32 follows from the size.
    /// </summary>
    public long? SizeBytes { get; init; }
}

public enum FatKind
{
    Fat12,
    Fat16,
    Fat32,
}

/// <summary>One file or folder of a FAT image. Equality is by path.</summary>
public sealed class FatEntry : IEquatable<FatEntry>
{
    /// <summary>Path below the root with '/' between the long names; empty for the root.</summary>
    public required string Path { get; init; }

    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    /// <summary>The 8.3 alias, such as <c>PROGRA~1</c>; the name itself where it is one.</summary>
    public required string ShortName { get; init; }

    public required bool IsDirectory { get; init; }

    /// <summary>Bytes of a file's content; 0 for folders.</summary>
    public required long Length { get; init; }

    /// <summary>FAT has no time zone: taken as UTC. Null where the image has an impossible date.</summary>
    public DateTimeOffset? ModifiedAt { get; init; }

    internal uint Cluster { get; init; }

    public bool Equals(FatEntry? other) => other is not null && other.Path == Path;

    public override bool Equals(object? obj) => Equals(obj as FatEntry);

    public override int GetHashCode() => Path.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => $"/{Path} ({(IsDirectory ? "folder" : $"{Length} bytes")})";
}
