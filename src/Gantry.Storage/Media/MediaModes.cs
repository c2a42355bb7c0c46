namespace Gantry.Storage.Media;

/// <summary>POSIX file modes: the usual defaults, and st_mode's type bits (sys/stat.h).</summary>
public static class MediaModes
{
    /// <summary>0644.</summary>
    public const UnixFileMode File = UnixFileMode.UserRead | UnixFileMode.UserWrite
        | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>0755: folders and programs.</summary>
    public const UnixFileMode Executable = File
        | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>0777: what Linux shows for symbolic links.</summary>
    public const UnixFileMode Link = Executable | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    internal const UnixFileMode PermissionBits = Link
        | UnixFileMode.SetUser | UnixFileMode.SetGroup | UnixFileMode.StickyBit;

    internal const uint TypeMask = 0xF000;
    internal const uint TypeSymlink = 0xA000;
    internal const uint TypeFile = 0x8000;
    internal const uint TypeBlock = 0x6000;
    internal const uint TypeDirectory = 0x4000;
    internal const uint TypeCharacter = 0x2000;

    internal static uint Full(MediaNode node)
    {
        uint type = node switch
        {
            MediaNode.File => TypeFile,
            MediaNode.Directory => TypeDirectory,
            MediaNode.Symlink => TypeSymlink,
            MediaNode.Device { Kind: MediaDeviceKind.Character } => TypeCharacter,
            MediaNode.Device => TypeBlock,
            _ => throw new InvalidOperationException($"unknown node {node.GetType().Name}"),
        };
        return type | (uint)(node.Permissions & PermissionBits);
    }
}
