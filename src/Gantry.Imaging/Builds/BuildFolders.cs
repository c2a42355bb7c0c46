using Gantry.Storage;

namespace Gantry.Imaging.Builds;

/// <summary>Each build has a folder: its log, the picture of a failure, and files that go when it ends.</summary>
internal static class BuildFolders
{
    public const string LogName = "build.log";
    public const string PictureName = "screen.png";

    /// <summary>Logs of so many builds are kept.</summary>
    private const int Kept = 50;

    public static string Of(DataFolders folders, string buildId) => Path.Combine(folders.Builds, buildId);

    public static string Make(DataFolders folders, string buildId)
    {
        foreach (var old in new DirectoryInfo(folders.Builds).GetDirectories().OrderByDescending(one => one.LastWriteTimeUtc).Skip(Kept))
            old.Delete(recursive: true);
        var folder = Of(folders, buildId);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }

    /// <summary>Removes everything but the log and the picture.</summary>
    public static void Clean(DataFolders folders, string buildId)
    {
        var folder = Of(folders, buildId);
        if (!Directory.Exists(folder))
            return;
        foreach (var file in Directory.GetFiles(folder).Where(file => Path.GetFileName(file) is not (LogName or PictureName)))
            File.Delete(file);
    }
}
