using Gantry.Model.State;

namespace Gantry.Store.Sqlite;

/// <summary>The file and its folder, before SQLite sees them.</summary>
internal static class SqliteFiles
{
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode PrivateFolder = PrivateFile | UnixFileMode.UserExecute;

    /// <summary>
    /// Makes what is missing. SQLite gives its log the mode of the file, so that nothing else needs to be set.
    /// </summary>
    /// <exception cref="StateStoreException">They cannot be made.</exception>
    public static void Make(string path)
    {
        if (File.Exists(path))
            return;
        try
        {
            string folder = Path.GetDirectoryName(path)!;
            if (OperatingSystem.IsWindows())
            {
                throw new PlatformNotSupportedException("The state file needs a Unix file system; use Linux.");
            }

            if (!Directory.Exists(folder))
                Directory.CreateDirectory(folder, PrivateFolder);
            using var _ = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.ReadWrite | FileShare.Delete,
                UnixCreateMode = PrivateFile,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StateStoreException(
                StateStoreProblem.Unavailable,
                $"The state file '{path}' cannot be made: {e.Message} Name a state folder that you can write to.",
                e);
        }
    }
}
