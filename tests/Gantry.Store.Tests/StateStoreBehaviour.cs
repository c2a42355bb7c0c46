using System.Text;
using Gantry.Model.State;

namespace Gantry.Store.Tests;

/// <summary>What every home of the state does. A home's tests derive from this class.</summary>
public abstract class StateStoreBehaviour : IAsyncLifetime
{
    protected static readonly CancellationToken None = CancellationToken.None;

    protected IStateStore Store { get; private set; } = null!;

    protected abstract ValueTask<IStateStore> OpenAsync();

    /// <summary>Forgets history up to and with a revision.</summary>
    protected abstract ValueTask CompactAsync(long revision);

    public async ValueTask InitializeAsync() => Store = await OpenAsync();

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Store.DisposeAsync();
    }

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected static StateOperation Put(string key, string value) => new StateOperation.Put(key, Bytes(value));

    protected ValueTask<StateCommit> DoAsync(params StateOperation[] then) =>
        Store.CommitAsync(new StateTransaction { Then = [.. then] }, None);

    protected ValueTask<StateCommit> IfAsync(StateCompare when, params StateOperation[] then) =>
        Store.CommitAsync(new StateTransaction { When = [when], Then = [.. then] }, None);

    [Fact]
    public async Task Get_NoSuchKey_IsNull() => Assert.Null(await Store.GetAsync("a/b", None));

    [Fact]
    public async Task Identity_OfAnyStore_HasIdAndGeneration()
    {
        Assert.Matches("^[0-9a-f]{32}$", Store.Identity.StoreId);
        Assert.True(Store.Identity.Generation >= 1);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Put_NewThenAgain_CountsVersionsAndRevisions()
    {
        var first = await DoAsync(Put("a", "1"));
        var second = await DoAsync(Put("a", "2"));

        Assert.Equal(first.Revision + 1, second.Revision);
        var entry = await Store.GetAsync("a", None);
        Assert.Equal(
            new StateEntry
            {
                Key = "a",
                Value = Bytes("2"),
                CreateRevision = first.Revision,
                ModRevision = second.Revision,
                Version = 2,
            },
            entry);
    }

    [Fact]
    public async Task Put_AfterDelete_BeginsAtVersionOne()
    {
        await DoAsync(Put("a", "1"));
        await DoAsync(new StateOperation.Delete("a"));
        var again = await DoAsync(Put("a", "2"));

        var entry = await Store.GetAsync("a", None);
        Assert.Equal((1, again.Revision, again.Revision), (entry!.Version, entry.CreateRevision, entry.ModRevision));
    }

    [Fact]
    public async Task Put_EmptyValue_StaysEmpty()
    {
        await DoAsync(Put("a", ""));
        Assert.Equal(0, (await Store.GetAsync("a", None))!.Value.Length);
        Assert.True((await IfAsync(new StateCompare.ValueIs("a", ReadOnlyMemory<byte>.Empty))).Succeeded);
    }

    [Fact]
    public async Task Put_CallerChangesItsBytesAfterwards_StoreKeepsItsOwn()
    {
        byte[] bytes = Bytes("one");
        await DoAsync(new StateOperation.Put("a", bytes));
        bytes[0] = 0;
        Assert.Equal(Bytes("one"), (await Store.GetAsync("a", None))!.Value.ToArray());
    }

    [Fact]
    public async Task Delete_NoSuchKey_MakesNoRevision()
    {
        var before = await DoAsync(Put("a", "1"));
        var commit = await DoAsync(new StateOperation.Delete("b"), new StateOperation.DeleteRange("c/"));
        Assert.True(commit.Succeeded);
        Assert.Equal(before.Revision, commit.Revision);
    }

    [Fact]
    public async Task DeleteRange_SomeKeys_DeletesThoseUnderThePrefixOnly()
    {
        await DoAsync(Put("a/1", ""), Put("a/2", ""), Put("a0", ""), Put("a", ""), Put("b/1", ""));
        await DoAsync(new StateOperation.DeleteRange("a/"));
        var left = await Store.RangeAsync("", 10, null, None);
        Assert.Equal(["a", "a0", "b/1"], left.Entries.Select(entry => entry.Key));
    }

    [Fact]
    public async Task Range_MoreThanLimit_PagesWithoutLossInByteOrder()
    {
        string[] keys = ["m/10", "m/9", "m/A", "m/a", "m/~", "m/-", "m/a/b", "m/a-b"];
        foreach (string key in keys)
            await DoAsync(Put(key, key));
        await DoAsync(Put("n", ""), Put("l", ""));

        var seen = new List<string>();
        string? after = null;
        while (true)
        {
            var page = await Store.RangeAsync("m/", 3, after, None);
            seen.AddRange(page.Entries.Select(entry => entry.Key));
            Assert.True(page.Entries.Length <= 3);
            if (!page.More)
                break;
            after = page.Entries[^1].Key;
        }

        Assert.Equal(keys.Order(StringComparer.Ordinal), seen);
    }

    [Fact]
    public async Task Range_ExactlyLimit_SaysNoMore()
    {
        var commit = await DoAsync(Put("m/1", ""), Put("m/2", ""));
        var page = await Store.RangeAsync("m/", 2, null, None);
        Assert.Equal((2, false, commit.Revision), (page.Entries.Length, page.More, page.Revision));
    }

    [Fact]
    public async Task Commit_ConditionFails_DoesNothingAndReads()
    {
        await DoAsync(Put("a", "1"), Put("r/1", "x"), Put("r/2", "y"));
        var commit = await Store.CommitAsync(
            new StateTransaction
            {
                When = [new StateCompare.Exists("a"), new StateCompare.Absent("a")],
                Then = [Put("b", "never"), new StateOperation.Delete("a")],
                Else = [new StateRead.Get("a"), new StateRead.Get("nothing"), new StateRead.Range("r/", 1)],
            },
            None);

        Assert.False(commit.Succeeded);
        Assert.Equal([["a"], [], ["r/1"]], commit.Reads.Select(read => read.Entries.Select(e => e.Key).ToArray()));
        Assert.Null(await Store.GetAsync("b", None));
        Assert.NotNull(await Store.GetAsync("a", None));
    }

    [Fact]
    public async Task Commit_EachCondition_HoldsExactlyWhenItShould()
    {
        var made = await DoAsync(Put("a", "1"), Put("other", ""));
        var changed = await DoAsync(Put("a", "2"));

        (StateCompare Compare, bool Holds)[] table =
        [
            (new StateCompare.VersionIs("a", 2), true),
            (new StateCompare.VersionIs("a", 1), false),
            (new StateCompare.VersionIs("none", 0), true),
            (new StateCompare.VersionIs("a", 0), false),
            (new StateCompare.ModRevisionIs("a", changed.Revision), true),
            (new StateCompare.ModRevisionIs("a", made.Revision), false),
            (new StateCompare.ModRevisionIs("none", 0), true),
            (new StateCompare.CreateRevisionIs("a", made.Revision), true),
            (new StateCompare.CreateRevisionIs("a", changed.Revision), false),
            (new StateCompare.CreateRevisionIs("none", 0), true),
            (new StateCompare.Exists("a"), true),
            (new StateCompare.Exists("none"), false),
            (new StateCompare.Absent("a"), false),
            (new StateCompare.Absent("none"), true),
            (new StateCompare.ValueIs("a", Bytes("2")), true),
            (new StateCompare.ValueIs("a", Bytes("1")), false),
            (new StateCompare.ValueIs("none", Bytes("")), false),
            (new StateCompare.RangeEmpty("a"), false),
            (new StateCompare.RangeEmpty("a/"), true),
            (new StateCompare.RangeEmpty("oth"), false),
            (new StateCompare.RangeEmpty(""), false),
        ];
        foreach (var (compare, holds) in table)
            Assert.True(holds == (await IfAsync(compare)).Succeeded, compare.ToString());
    }

    [Fact]
    public async Task Commit_DeleteUnlessReferredTo_RefusedUntilTheLastReferenceGoes()
    {
        await DoAsync(Put("templates/t", ""), Put("refs/t/100", ""));
        var unused = new StateCompare.RangeEmpty("refs/t/");
        Assert.False((await IfAsync(unused, new StateOperation.Delete("templates/t"))).Succeeded);
        await DoAsync(new StateOperation.Delete("refs/t/100"));
        Assert.True((await IfAsync(unused, new StateOperation.Delete("templates/t"))).Succeeded);
        Assert.Null(await Store.GetAsync("templates/t", None));
    }

    [Fact]
    public async Task Commit_ValueTooLarge_SaysSizeAndLimitAndWritesNothing()
    {
        var error = await Assert.ThrowsAsync<StateLimitException>(async () => await DoAsync(
            Put("small", "x"), new StateOperation.Put("big", new byte[StateLimits.MaxValueBytes + 1])));
        Assert.Equal((65537, 65536), (error.Found, error.Limit));
        Assert.Contains("'big'", error.Message, StringComparison.Ordinal);
        Assert.Contains("65537", error.Message, StringComparison.Ordinal);
        Assert.Null(await Store.GetAsync("small", None));
    }

    [Fact]
    public async Task Commit_ValueAtTheLimit_IsKept()
    {
        byte[] value = new byte[StateLimits.MaxValueBytes];
        new Random(1).NextBytes(value);
        await DoAsync(new StateOperation.Put("big", value));
        Assert.Equal(value, (await Store.GetAsync("big", None))!.Value.ToArray());
    }

    [Fact]
    public async Task Commit_TooManyOperationsOrBytes_AreRefused()
    {
        await Assert.ThrowsAsync<StateLimitException>(async () => await DoAsync(
            [.. Enumerable.Range(0, 129).Select(i => Put($"k{i}", ""))]));
        await Assert.ThrowsAsync<StateLimitException>(async () => await DoAsync(
            [.. Enumerable.Range(0, 17).Select(i => new StateOperation.Put($"k{i}", new byte[64 * 1024]))]));
        await Assert.ThrowsAsync<StateLimitException>(
            async () => await Store.RangeAsync("", StateLimits.MaxRange + 1, null, None));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("a\n")]
    public async Task Key_NotOfTheAllowedShape_IsRefused(string key)
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await DoAsync(Put(key, "")));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.GetAsync(key, None));
    }

    [Fact]
    public async Task Commit_KeyPutTwiceOrPutAndDeleted_IsRefused()
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await DoAsync(Put("a", "1"), Put("a", "2")));
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await DoAsync(Put("a", "1"), new StateOperation.Delete("a")));
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await DoAsync(new StateOperation.DeleteRange("a"), Put("a/b", "2")));
        await Assert.ThrowsAsync<ArgumentException>(async () => await DoAsync(new StateOperation.DeleteRange("")));
    }

    [Fact]
    public async Task Call_AlreadyCancelled_DoesNothing()
    {
        var cancelled = new CancellationToken(true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.CommitAsync(
            new StateTransaction { Then = [Put("a", "")] }, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.GetAsync("a", cancelled));
        Assert.Null(await Store.GetAsync("a", None));
    }

    [Fact]
    public async Task Watch_FromPastRevision_YieldsEachTransactionOnceAndInOrder()
    {
        var first = await DoAsync(Put("w/a", "1"), Put("x", ""), Put("w/b", "2"));
        await DoAsync(Put("x", "not ours"));
        await DoAsync(Put("w/a", "3"), new StateOperation.Delete("w/b"));

        var items = await TakeAsync("w/", first.Revision, 2);
        var one = Assert.IsType<StateWatchItem.Changed>(items[0]);
        Assert.Equal(first.Revision, one.Revision);
        Assert.Equal(["w/a", "w/b"], one.Changes.Select(change => change.Key));
        Assert.Equal(Bytes("1"), one.Changes[0].Entry!.Value.ToArray());
        var two = Assert.IsType<StateWatchItem.Changed>(items[1]);
        Assert.Equal(first.Revision + 2, two.Revision);
        Assert.Equal(await Store.GetAsync("w/a", None), two.Changes[0].Entry);
        Assert.Equal(("w/b", null), (two.Changes[1].Key, two.Changes[1].Entry));
    }

    [Fact]
    public async Task Watch_FromNow_SeesTheNextCommitOnly()
    {
        await DoAsync(Put("w/old", ""));
        await using var watch = Store.WatchAsync("w/", 0, None).GetAsyncEnumerator(None);
        var next = watch.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        // The first look at the store may still be under way: commit until the watch has seen one.
        for (int i = 0; i < 100 && !next.IsCompleted; i++)
        {
            await DoAsync(Put("w/new", ""));
            await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, None));
        }

        Assert.True(await next);
        Assert.Equal("w/new", Assert.IsType<StateWatchItem.Changed>(watch.Current).Changes[0].Key);
    }

    [Fact]
    public async Task Watch_FromFutureRevision_WaitsForIt()
    {
        var now = await DoAsync(Put("w/a", "0"));
        var items = TakeAsync("w/", now.Revision + 3, 1);
        for (int i = 1; i <= 3; i++)
            await DoAsync(Put("w/a", $"{i}"));
        var changed = Assert.IsType<StateWatchItem.Changed>(Assert.Single(await items));
        Assert.Equal(now.Revision + 3, changed.Revision);
    }

    [Fact]
    public async Task Watch_MoreThanOneRead_LosesNothing()
    {
        var revisions = new List<long>();
        for (int i = 0; i < 300; i++)
            revisions.Add((await DoAsync(Put("w/a", $"{i}"), Put($"w/{i}", ""), Put("v/a", ""))).Revision);
        var items = await TakeAsync("w/", revisions[0], 300);
        Assert.Equal(revisions, items.Cast<StateWatchItem.Changed>().Select(item => item.Revision));
        Assert.All(items.Cast<StateWatchItem.Changed>(), item => Assert.Equal(2, item.Changes.Length));
    }

    [Fact]
    public async Task Watch_FromCompactedRevision_SaysSoAndEnds()
    {
        var first = await DoAsync(Put("w/a", "1"));
        var second = await DoAsync(Put("w/a", "2"));
        await CompactAsync(first.Revision);

        var items = new List<StateWatchItem>();
        await foreach (var item in Store.WatchAsync("w/", first.Revision, None))
            items.Add(item);
        Assert.Equal(
            new StateWatchItem.Compacted { CompactedRevision = first.Revision },
            Assert.Single(items));
        Assert.Single(await TakeAsync("w/", second.Revision, 1));
        Assert.NotNull(await Store.GetAsync("w/a", None));
    }

    [Fact]
    public async Task Watch_Cancelled_EndsByThrowing()
    {
        using var stop = new CancellationTokenSource();
        var task = Task.Run(async () =>
        {
            await foreach (var item in Store.WatchAsync("w/", 0, stop.Token))
                Assert.NotNull(item);
        });
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
    }

    [Fact]
    public async Task Commit_ManyAtOnce_CountsEachOnce()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 10; i++)
                await Processes.ChildWriter.AddAsync(Store, "counter");
        })));
        Assert.Equal(Bytes("80"), (await Store.GetAsync("counter", None))!.Value.ToArray());
        Assert.Equal(80, (await Store.GetAsync("counter", None))!.Version);
    }

    protected async Task<List<StateWatchItem>> TakeAsync(string prefix, long from, int count)
    {
        var items = new List<StateWatchItem>();
        await foreach (var item in Store.WatchAsync(prefix, from, None))
        {
            items.Add(item);
            if (items.Count == count)
                break;
        }

        return items;
    }
}
