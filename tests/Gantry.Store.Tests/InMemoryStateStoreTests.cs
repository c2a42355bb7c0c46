using Gantry.Model.State;

namespace Gantry.Store.Tests;

public sealed class InMemoryStateStoreTests : StateStoreBehaviour
{
    protected override ValueTask<IStateStore> OpenAsync() =>
        ValueTask.FromResult<IStateStore>(new InMemoryStateStore());

    protected override ValueTask CompactAsync(long revision)
    {
        ((InMemoryStateStore)Store).Compact(revision);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task History_BeyondItsLimit_IsCompacted()
    {
        await using var store = new InMemoryStateStore(historyLimit: 2);
        for (int i = 0; i < 5; i++)
            await store.CommitAsync(new StateTransaction { Then = [Put("a", $"{i}")] }, None);
        var items = new List<StateWatchItem>();
        await foreach (var item in store.WatchAsync("", 2, None))
            items.Add(item);
        Assert.Equal(4, Assert.IsType<StateWatchItem.Compacted>(Assert.Single(items)).CompactedRevision);
    }
}
