using Gantry.Storage;

namespace Gantry.Imaging.Builds;

/// <summary>Held by the one build that writes a layer; the kernel lets go of it when that build dies.</summary>
internal sealed class LayerLock : IDisposable
{
    private readonly FileStream _file;

    private LayerLock(FileStream file) => _file = file;

    /// <summary>The lock, or null when another build holds it.</summary>
    public static LayerLock? TryTake(DataFolders folders, string key)
    {
        try
        {
            return new LayerLock(new FileStream(
                Path.Combine(folders.Layers, key + ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _file.Dispose();
}
