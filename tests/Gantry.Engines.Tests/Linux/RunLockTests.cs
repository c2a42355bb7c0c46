using Gantry.Engines.Linux;

namespace Gantry.Engines.Tests.Linux;

public sealed class RunLockTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-engines-");

    private string LockFile => Path.Combine(_folder.FullName, "run.lock");

    [Fact]
    public void Lock_TakenTwice_IsRefusedUntilReleased()
    {
        Assert.False(RunLock.IsHeld(LockFile));
        using (var first = RunLock.TryTake(LockFile))
        {
            Assert.NotNull(first);
            Assert.Null(RunLock.TryTake(LockFile));
            Assert.True(RunLock.IsHeld(LockFile));
        }
        Assert.False(RunLock.IsHeld(LockFile));
        using var again = RunLock.TryTake(LockFile);
        Assert.NotNull(again);
    }

    [Fact]
    public async Task Lock_InheritedByChild_LivesAsLongAsTheChild()
    {
        var taken = RunLock.TryTake(LockFile)!;
        var child = Spawner.Start(new SpawnRequest
        {
            Program = "/bin/sleep",
            Arguments = ["60"],
            LogPath = Path.Combine(_folder.FullName, "log"),
            Inherited = taken.File,
        });
        taken.Dispose();
        Assert.True(RunLock.IsHeld(LockFile));
        using (var process = ProcessHandle.TryOpen(child.Pid))
            Assert.True(process!.TrySignal(Libc.SigKill));
        Assert.Equal(new ChildExit(null, Libc.SigKill), await child.Exited.WaitAsync(TimeSpan.FromSeconds(10)));
        // Programs that other tests start at this moment may hold a copy until they are loaded.
        var deadline = Environment.TickCount64 + 10_000;
        while (RunLock.IsHeld(LockFile) && Environment.TickCount64 < deadline)
            await Task.Yield();
        Assert.False(RunLock.IsHeld(LockFile));
    }

    [Fact]
    public async Task Lock_AskedForByManyThreads_DisturbsNoTaker()
    {
        using var stop = new CancellationTokenSource();
        var askers = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                RunLock.IsHeld(LockFile);
        })).ToArray();
        var refused = 0;
        for (var i = 0; i < 2000; i++)
        {
            using var taken = RunLock.TryTake(LockFile);
            if (taken is null)
                refused++;
        }
        await stop.CancelAsync();
        await Task.WhenAll(askers);
        // With a lock that asking takes, most would be; other tests' programs may account for a few (see above).
        Assert.InRange(refused, 0, 200);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
