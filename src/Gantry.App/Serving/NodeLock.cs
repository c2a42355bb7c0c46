using Gantry.Storage;

namespace Gantry.App.Serving;

/// <summary>Held by the one program that serves a home, as long as it lives.</summary>
internal sealed class NodeLock : IDisposable
{
    private readonly FileStream _file;

    private NodeLock(FileStream file) => _file = file;

    /// <summary>Where a node listens for this host's commands.</summary>
    public static string SocketOf(DataFolders folders) => Path.Combine(folders.Run, "api.sock");

    /// <summary>Null when another program serves the home.</summary>
    public static NodeLock? TryTake(DataFolders folders)
    {
        try
        {
            return new NodeLock(new FileStream(
                Path.Combine(folders.Run, "serve.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The same, waiting for a while for the one that serves it to end.</summary>
    public static async Task<NodeLock?> TakeAsync(
        DataFolders folders, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            if (TryTake(folders) is { } taken)
                return taken;
            if (time.GetElapsedTime(began) >= patience)
                return null;
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken);
        }
    }

    public void Dispose() => _file.Dispose();
}
