namespace Gantry.Store.Tests;

/// <summary>A folder of one test, removed with it.</summary>
public sealed class TestFolder : IDisposable
{
    // In memory where there is such a file system: it takes the same calls, and each fsync is then free.
    private static readonly string Parent = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();

    public string Path { get; } = Directory.CreateDirectory(
        System.IO.Path.Combine(
            Parent, $"gantry-store-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}")).FullName;

    private static int _count;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
