using Gantry.Storage;

namespace Gantry.Imaging.Builds;

/// <summary>
/// A file that one process at a time holds: who holds it writes a layer, or makes an output. The kernel lets go of it
/// when its holder dies; the holder itself takes the file away first, so none is left but by a crash.
/// </summary>
internal sealed class FileClaim : IDisposable
{
    private const int WouldBlock = 11; // EAGAIN

    private readonly FileStream _file;

    private FileClaim(FileStream file) => _file = file;

    public const string Suffix = ".lock";

    public static string OfLayer(DataFolders folders, string key) => Path.Combine(folders.Layers, key + Suffix);

    /// <summary>The claim, or null when somebody else holds it.</summary>
    /// <exception cref="IOException">The file can't be made.</exception>
    public static FileClaim? TryTake(string path)
    {
        while (true)
        {
            FileStream file;
            try
            {
                file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException e) when (e.HResult == WouldBlock)
            {
                return null;
            }

            if (OpenFile.HasName(file.SafeFileHandle))
                return new FileClaim(file);
            file.Dispose();
        }
    }

    /// <summary>Takes away the claims in a folder that a crash left.</summary>
    public static void Sweep(string folder)
    {
        foreach (var path in Directory.GetFiles(folder, "*" + Suffix))
        {
            using var claim = TryTake(path);
        }
    }

    public void Dispose()
    {
        File.Delete(_file.Name);
        _file.Dispose();
    }
}
