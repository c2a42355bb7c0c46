using System.Formats.Tar;
using Gantry.Model;

namespace Gantry.Machines.Guest;

/// <summary>Unpacks an archive that a guest made, which is trusted with nothing.</summary>
internal static class TarFolder
{
    private const int MaxEntries = 200_000;

    /// <summary>Writes folders and files beneath <paramref name="folder"/>; links to names and devices are left out,
    /// hard links become copies.</summary>
    public static async Task ExtractAsync(Stream archive, string folder, CancellationToken cancellationToken)
    {
        await using var reader = new TarReader(archive, leaveOpen: true);
        var written = new HashSet<string>(StringComparer.Ordinal);
        for (var count = 0; await reader.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry; count++)
        {
            if (count >= MaxEntries)
                throw new ProblemException(
                    ProblemKind.Failed, $"the guest's folder holds more than {MaxEntries} files");
            var path = LocalTree.Inside(folder, entry.Name);
            switch (entry.EntryType)
            {
                case TarEntryType.Directory:
                    Directory.CreateDirectory(path);
                    break;
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                    await WriteAsync(entry.DataStream ?? Stream.Null, path, entry.Mode, cancellationToken);
                    written.Add(path);
                    break;
                case TarEntryType.HardLink:
                    var source = LocalTree.Inside(folder, entry.LinkName);
                    // Only what this archive has brought may be copied.
                    if (written.Contains(source) && source != path)
                    {
                        await using var content = File.OpenRead(source);
                        await WriteAsync(content, path, entry.Mode, cancellationToken);
                        written.Add(path);
                    }

                    break;
            }
        }
    }

    private static async Task WriteAsync(
        Stream content, string path, UnixFileMode mode, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await LocalTree.WriteAsync(path, stream => content.CopyToAsync(stream, cancellationToken));
        // The owner keeps the right to read and write what was fetched; set-user-id bits are of no use here.
        File.SetUnixFileMode(path, (mode & (UnixFileMode)0x1FF) | UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
