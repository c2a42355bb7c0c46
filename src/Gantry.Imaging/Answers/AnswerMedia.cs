using Gantry.Imaging.Cache;
using Gantry.Imaging.Definitions;
using Gantry.Model;
using Gantry.Storage.Media;

namespace Gantry.Imaging.Answers;

/// <summary>Writes the CD and the floppy that carry a build's answer files.</summary>
public static class AnswerMedia
{
    /// <summary>Media are written with one time, so that the same files give the same bytes.</summary>
    private static readonly DateTimeOffset Timestamp = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes the CD; gives the digests of what is on it.</summary>
    public static async Task<ValueList<FileDigest>> WriteCdAsync(AnswerOptions answers, string path, CancellationToken cancellationToken)
    {
        var tree = new MediaTree();
        var digests = new List<FileDigest>();
        foreach (var found in answers.CdFiles.SelectMany(Expand))
        {
            tree.AddHostPath(found, "/" + Path.GetFileName(found));
            digests.AddRange(await FileDigests.OfTreeAsync(found, cancellationToken).ConfigureAwait(false));
        }

        AddContent(tree, answers.CdContent, digests);
        await IsoWriter.WriteFileAsync(
            tree, new IsoOptions { VolumeLabel = answers.CdLabel, Timestamp = Timestamp }, path, null, cancellationToken).ConfigureAwait(false);
        return [.. digests];
    }

    /// <summary>Writes the floppy (1.44 MB, FAT12); gives the digests of what is on it.</summary>
    public static async Task<ValueList<FileDigest>> WriteFloppyAsync(AnswerOptions answers, string path, CancellationToken cancellationToken)
    {
        var tree = new MediaTree();
        var digests = new List<FileDigest>();
        foreach (var found in answers.FloppyFiles.SelectMany(Expand).Concat(answers.FloppyDirs))
        {
            tree.AddHostPath(found, "/" + Path.GetFileName(Path.TrimEndingDirectorySeparator(found)));
            digests.AddRange(await FileDigests.OfTreeAsync(found, cancellationToken).ConfigureAwait(false));
        }

        AddContent(tree, answers.FloppyContent, digests);
        await FatWriter.WriteFileAsync(
            tree, new FatOptions { SizeBytes = FatOptions.Floppy1440, VolumeLabel = FloppyLabel(answers.FloppyLabel), Timestamp = Timestamp }, path, null, cancellationToken)
            .ConfigureAwait(false);
        return [.. digests];
    }

    private static string FloppyLabel(string label) => label.ToUpperInvariant()[..Math.Min(11, label.Length)];

    private static void AddContent(MediaTree tree, IEnumerable<ContentFile> files, List<FileDigest> digests)
    {
        foreach (var file in files)
        {
            tree.AddFile(file.Path, MediaContent.FromText(file.Content));
            digests.Add(FileDigests.OfContent(file));
        }
    }

    /// <summary>A file, a folder, or all that a pattern in the last part of the path matches.</summary>
    private static IEnumerable<string> Expand(string path)
    {
        if (Path.Exists(path))
            return [path];
        var folder = Path.GetDirectoryName(path);
        var found = folder is not null && Directory.Exists(folder)
            ? Directory.GetFileSystemEntries(folder, Path.GetFileName(path)).Order(StringComparer.Ordinal).ToList() : [];
        return found.Count > 0
            ? found
            : throw new ProblemException(ProblemKind.NotFound, $"nothing matches {path}", "check the paths in cd_files and floppy_files");
    }
}
