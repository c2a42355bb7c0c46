namespace Gantry.Storage.Media;

/// <summary>
/// One thing in a <see cref="MediaTree"/>. Media that cannot express owner, mode, links or devices (FAT, Joliet)
/// leave out what they cannot express; each writer says so.
/// </summary>
public abstract record MediaNode
{
    private MediaNode() { }

    /// <summary>The twelve permission bits.</summary>
    public required UnixFileMode Permissions { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    /// <summary>Null: the time that the writer's options give for the whole medium.</summary>
    public DateTimeOffset? ModifiedAt { get; init; }

    public sealed record File(MediaContent Content) : MediaNode;

    public sealed record Directory : MediaNode;

    /// <summary>A symbolic link; the target is written as it is, relative or absolute.</summary>
    public sealed record Symlink(string Target) : MediaNode;

    /// <summary>A device node for an initramfs, such as /dev/console (character, 5, 1).</summary>
    public sealed record Device(MediaDeviceKind Kind, uint Major, uint Minor) : MediaNode;
}

public enum MediaDeviceKind
{
    Character,
    Block,
}

/// <summary>A node and its path below the root, with '/' between names and none in front.</summary>
public sealed record MediaEntry(string Path, MediaNode Node);
