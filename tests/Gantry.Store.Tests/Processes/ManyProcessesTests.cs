using System.Globalization;
using System.Text;
using Gantry.Model.State;
using Gantry.Store.Sqlite;

namespace Gantry.Store.Tests.Processes;

/// <summary>One file, several processes, some of which are killed.</summary>
public sealed class ManyProcessesTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TestFolder _folder = new();

    private string File => _folder.File("gantry.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Processes_AddingAtOnce_LoseNothing()
    {
        // The file does not exist yet: they also race to make it.
        var children = Enumerable.Range(0, 3).Select(_ => ChildWriter.Start(ChildWriter.Adds, File, "counter", "40"))
            .ToArray();
        await using (var store = await SqliteStateStore.OpenAsync(File, null, None))
        {
            for (int i = 0; i < 40; i++)
                await ChildWriter.AddAsync(store, "counter");
        }

        foreach (var child in children)
        {
            await child.WaitForExitAsync(None);
            Assert.Equal(0, child.ExitCode);
            child.Dispose();
        }

        await using var after = await SqliteStateStore.OpenAsync(File, null, None);
        var entry = await after.GetAsync("counter", None);
        Assert.Equal("160", Encoding.ASCII.GetString(entry!.Value.Span));
        Assert.Equal((160, 161), (entry.Version, entry.ModRevision));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(40)]
    public async Task Process_KilledWhileWriting_LosesNothingAcknowledged(int after)
    {
        using var child = ChildWriter.Start(ChildWriter.Puts, File, "k");
        await using var watching = await SqliteStateStore.OpenAsync(File, null, None);
        int acknowledged = 0;
        while (acknowledged < after)
            acknowledged = int.Parse((await child.StandardOutput.ReadLineAsync(None))!, CultureInfo.InvariantCulture);
        child.Kill();
        await child.WaitForExitAsync(None);
        while (await child.StandardOutput.ReadLineAsync(None) is { Length: > 0 } line)
            acknowledged = Math.Max(acknowledged, int.Parse(line, CultureInfo.InvariantCulture));

        // One process that had the file open all along, and one that opens it now.
        await using var opened = await SqliteStateStore.OpenAsync(File, null, None);
        foreach (var store in new[] { watching, opened })
        {
            var a = await store.RangeAsync("k/a/", StateLimits.MaxRange, null, None);
            var b = await store.RangeAsync("k/b/", StateLimits.MaxRange, null, None);
            Assert.InRange(a.Entries.Length, acknowledged, acknowledged + 1);
            Assert.Equal(a.Entries.Length, b.Entries.Length);
            Assert.Equal(a.Entries.Length + 1, a.Revision);
            for (int i = 1; i <= acknowledged; i++)
                Assert.NotNull(await store.GetAsync($"k/a/{i}", None));
        }

        await ChildWriter.AddAsync(opened, "counter");
    }

    [Fact]
    public async Task Watch_CommitsOfAnotherProcess_AreSeenInOrder()
    {
        await using var store = await SqliteStateStore.OpenAsync(File, null, None);
        using var child = ChildWriter.Start(ChildWriter.Adds, File, "counter", "20");
        var values = new List<string>();
        await foreach (var item in store.WatchAsync("counter", 2, None))
        {
            var change = Assert.Single(Assert.IsType<StateWatchItem.Changed>(item).Changes);
            values.Add(Encoding.ASCII.GetString(change.Entry!.Value.Span));
            if (values.Count == 20)
                break;
        }

        Assert.Equal(Enumerable.Range(1, 20).Select(i => i.ToString(CultureInfo.InvariantCulture)), values);
        await child.WaitForExitAsync(None);
    }
}
