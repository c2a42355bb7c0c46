using Gantry.Model;
using Gantry.Storage;

namespace Gantry.Machines.Guest;

/// <summary>One file or folder under a local folder; <paramref name="Name"/> is relative, with slashes.</summary>
internal sealed record LocalEntry(string Name, string FullPath, bool IsFolder, UnixFileMode Mode, DateTime ModifiedUtc);

/// <summary>Reads and writes local folders for transfers.</summary>
internal static class LocalTree
{
    private const UnixFileMode Permissions = (UnixFileMode)0x1FF;

    private const int MaxEntries = 200_000;

    /// <summary>Deeper is a loop of links, or as good as one.</summary>
    private const int MaxDepth = 64;

    /// <summary>All beneath a folder, each folder before what it holds, in the order of their bytes. Links are
    /// followed; sockets, pipes and devices are left out.</summary>
    public static List<LocalEntry> Read(string folder)
    {
        var entries = new List<LocalEntry>();
        Add(new DirectoryInfo(folder), "", 0);
        return entries;

        void Add(DirectoryInfo parent, string prefix, int depth)
        {
            if (depth > MaxDepth)
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput,
                    $"{folder} has folders deeper than {MaxDepth} levels, at {parent.FullName}",
                    "look for a link that leads back to a folder above it");
            }

            foreach (var info in parent.EnumerateFileSystemInfos().OrderBy(i => i.Name, StringComparer.Ordinal))
            {
                if (entries.Count >= MaxEntries)
                {
                    throw new ProblemException(
                        ProblemKind.InvalidInput,
                        $"{folder} holds more than {MaxEntries} files",
                        "pack them into one archive and copy that");
                }

                var target = info.LinkTarget is null ? info : info.ResolveLinkTarget(returnFinalTarget: true);
                var name = prefix + info.Name;
                if (target is { Exists: false } or null)
                {
                    throw new ProblemException(
                        ProblemKind.NotFound, $"the link {info.FullName} leads nowhere", "remove it or make its target");
                }

                var isFolder = target is DirectoryInfo;
                if (!isFolder && FileFacts.Read(target.FullName) is not { IsRegular: true })
                    continue;
                entries.Add(new LocalEntry(
                    name, target.FullName, isFolder, target.UnixFileMode & Permissions, target.LastWriteTimeUtc));
                if (isFolder)
                    Add((DirectoryInfo)target, name + "/", depth + 1);
            }
        }
    }

    /// <summary>Writes beside the file and renames, so that a failed copy leaves what was there.</summary>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        var part = path + ".gantry-part";
        try
        {
            await using (var stream = new FileStream(
                part, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.Asynchronous))
            {
                await write(stream);
            }

            File.Move(part, path, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    /// <summary>A name from the guest must stay beneath the folder it is written to.</summary>
    public static string Inside(string folder, string name)
    {
        var parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(p => p != ".").ToArray();
        if (parts.Any(p => p == "..") || name.StartsWith('/') || name.Contains('\0'))
        {
            throw new ProblemException(
                ProblemKind.Failed, $"the guest sent a file whose name leads out of the folder: '{name}'");
        }

        return Path.Combine([folder, .. parts]);
    }

}
