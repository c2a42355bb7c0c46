using System.Runtime.InteropServices;

namespace Gantry.Storage.Media;

/// <summary>Takes files from the host's file system into a <see cref="MediaTree"/>.</summary>
internal static partial class HostTreeImport
{
    public static void Add(MediaTree tree, string hostPath, string path)
    {
        FileSystemInfo info = Directory.Exists(hostPath) ? new DirectoryInfo(hostPath) : new FileInfo(hostPath);
        if (!info.Exists) throw new MediaException($"expected a file or folder at '{hostPath}', found none");
        // The named thing itself may be a link: the user means what it points to.
        FileSystemInfo real = info.ResolveLinkTarget(returnFinalTarget: true) ?? info;
        string clean = path.Trim('/');
        if (real is DirectoryInfo folder)
        {
            if (clean.Length != 0) tree.AddDirectory(clean, Permissions(folder));
            AddChildren(tree, folder, clean);
        }
        else
        {
            AddFile(tree, real, clean);
        }
    }

    private static void AddChildren(MediaTree tree, DirectoryInfo folder, string path)
    {
        FileSystemInfo[] children;
        try
        {
            children = folder.GetFileSystemInfos();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MediaException($"cannot read the folder '{folder.FullName}': {error.Message}", error);
        }
        foreach (FileSystemInfo child in children)
        {
            string childPath = path.Length == 0 ? child.Name : $"{path}/{child.Name}";
            if (child.LinkTarget is { } target)
            {
                tree.AddSymlink(childPath, target);
            }
            else if (child is DirectoryInfo sub)
            {
                tree.AddDirectory(childPath, Permissions(sub));
                AddChildren(tree, sub, childPath);
            }
            else
            {
                AddFile(tree, child, childPath);
            }
        }
    }

    private static void AddFile(MediaTree tree, FileSystemInfo file, string path)
    {
        if (!IsRegular(file.FullName))
            throw new MediaException(
                $"'{file.FullName}' is a pipe, socket or device; only files and folders can be copied");
        tree.AddFile(path, MediaContent.FromFile(file.FullName), Permissions(file));
    }

    // .NET does not tell a pipe from a file, and opening a pipe waits for its writer for ever. statx has the same
    // layout on every architecture (struct statx in linux/stat.h: 256 bytes, stx_mode at 28).
    private static unsafe bool IsRegular(string path)
    {
        const int CurrentFolder = -100, NoFlags = 0;
        const uint TypeOnly = 1;
        const int StatxSize = 256, ModeOffset = 28;
        byte* status = stackalloc byte[StatxSize];
        if (StatX(CurrentFolder, path, NoFlags, TypeOnly, status) != 0)
            throw new MediaException($"cannot look at '{path}': {Marshal.GetLastPInvokeErrorMessage()}");
        return (*(ushort*)(status + ModeOffset) & MediaModes.TypeMask) == MediaModes.TypeFile;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatX(int folder, string path, int flags, uint mask, byte* status);

    private static UnixFileMode Permissions(FileSystemInfo info) => info.UnixFileMode & MediaModes.PermissionBits;
}
