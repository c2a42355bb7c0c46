using Gantry.Machines.Run;
using Gantry.Model.Machines;
using Gantry.Storage;

namespace Gantry.Machines.Tests.Run;

public sealed class MachineLockTests : IDisposable
{
    private static readonly MachineNumber Number = new(100);

    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-lock-").FullName;
    private readonly DataFolders _folders;

    public MachineLockTests()
    {
        _folders = new DataFolders(Path.Combine(_folder, "home"), Path.Combine(_folder, "run"));
        _folders.Create();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Takers_WhileTheFolderIsTakenAwayAgainAndAgain_ExcludeEachOther()
    {
        var (holders, most, taken) = (0, 0, 0);
        void TakeOften()
        {
            for (var i = 0; i < 500; i++)
            {
                using var held = MachineLock.TryTake(_folders, Number);
                if (held is null)
                    continue;
                taken++;
                most = Math.Max(most, Interlocked.Increment(ref holders));
                Interlocked.Decrement(ref holders);
                Remove();
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(TakeOften, TestContext.Current.CancellationToken)));
        Assert.Equal(1, most);
        Assert.True(taken > 0);
    }

    [Fact]
    public void Lock_ThatIsHeld_IsNotTakenAgainUntilItIsLetGo()
    {
        using (MachineLock.TryTake(_folders, Number))
            Assert.Null(MachineLock.TryTake(_folders, Number));
        using var again = MachineLock.TryTake(_folders, Number);
        Assert.NotNull(again);
    }

    /// <summary>As a sweep does with a machine that has no record.</summary>
    private void Remove()
    {
        try
        {
            Directory.Delete(_folders.MachineFolder(Number), recursive: true);
        }
        catch (IOException)
        {
            // Another taker's file is in it already.
        }
    }
}
