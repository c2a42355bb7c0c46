using Gantry.Imaging.Builds;

namespace Gantry.Imaging.Tests.Builds;

public sealed class FileClaimTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-claims-").FullName;

    private string Path => System.IO.Path.Combine(_folder, "one.lock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Claim_IsOneOwnersAtATime_AndLeavesNoFile()
    {
        using (var first = FileClaim.TryTake(Path))
        {
            Assert.NotNull(first);
            Assert.Null(FileClaim.TryTake(Path));
        }

        Assert.False(File.Exists(Path));
        using var second = FileClaim.TryTake(Path);
        Assert.NotNull(second);
    }

    [Fact]
    public async Task Claims_TakenByManyAtOnce_NeverOverlap()
    {
        var holders = 0;
        var most = 0;
        var taken = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 400; i++)
            {
                using var claim = FileClaim.TryTake(Path);
                if (claim is null)
                    continue;
                var now = Interlocked.Increment(ref holders);
                if (now > 1)
                    Interlocked.Exchange(ref most, now);
                Interlocked.Increment(ref taken);
                Thread.Yield();
                Interlocked.Decrement(ref holders);
            }
        }, TestContext.Current.CancellationToken)));
        Assert.Equal(0, most);
        Assert.True(taken > 8);
    }

    [Fact]
    public void Sweep_TakesTheClaimsOfTheDead()
    {
        File.WriteAllText(Path, "");
        using var live = FileClaim.TryTake(System.IO.Path.Combine(_folder, "two.lock"));
        FileClaim.Sweep(_folder);
        Assert.Equal(["two.lock"], Directory.GetFiles(_folder).Select(System.IO.Path.GetFileName));
    }
}
