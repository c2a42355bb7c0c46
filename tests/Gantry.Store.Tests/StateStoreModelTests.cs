using System.Collections.Immutable;
using CsCheck;
using Gantry.Model.State;
using Gantry.Store.Sqlite;

namespace Gantry.Store.Tests;

/// <summary>Random transactions, in the file and in memory, have to come to the same.</summary>
public sealed class StateStoreModelTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly Gen<string> Keys =
        OneOf("a", "a/1", "a/2", "a/2/x", "a0", "a~", "b/1", "b/2", "c");

    private static readonly Gen<string> Prefixes = OneOf("a", "a/", "a/2", "b/", "c", "d/", "~");

    private static readonly Gen<ReadOnlyMemory<byte>> Values =
        Gen.Byte.Array[0, 4].Select(bytes => (ReadOnlyMemory<byte>)bytes);

    private static readonly Gen<StateCompare> Compares = Gen.OneOf<StateCompare>(
        Gen.Select(Keys, Gen.Long[0, 3]).Select((key, n) => (StateCompare)new StateCompare.VersionIs(key, n)),
        Gen.Select(Keys, Gen.Long[0, 20]).Select((key, n) => (StateCompare)new StateCompare.ModRevisionIs(key, n)),
        Gen.Select(Keys, Gen.Long[0, 20]).Select((key, n) => (StateCompare)new StateCompare.CreateRevisionIs(key, n)),
        Keys.Select(key => (StateCompare)new StateCompare.Exists(key)),
        Keys.Select(key => (StateCompare)new StateCompare.Absent(key)),
        Gen.Select(Keys, Values).Select((key, value) => (StateCompare)new StateCompare.ValueIs(key, value)),
        Prefixes.Select(prefix => (StateCompare)new StateCompare.RangeEmpty(prefix)));

    private static readonly Gen<StateOperation> Operations = Gen.Frequency(
        (6, Gen.Select(Keys, Values).Select((key, value) => (StateOperation)new StateOperation.Put(key, value))),
        (2, Keys.Select(key => (StateOperation)new StateOperation.Delete(key))),
        (1, Prefixes.Select(prefix => (StateOperation)new StateOperation.DeleteRange(prefix))));

    private static readonly Gen<StateRead> Reads = Gen.OneOf(
        Keys.Select(key => (StateRead)new StateRead.Get(key)),
        Gen.Select(Prefixes, Gen.Int[1, 4]).Select((prefix, n) => (StateRead)new StateRead.Range(prefix, n)));

    private static readonly Gen<StateTransaction> Transactions =
        Gen.Select(Compares.Array[0, 2], Operations.Array[0, 4], Reads.Array[0, 2]).Select((when, then, orElse) =>
            new StateTransaction { When = [.. when], Then = [.. then], Else = [.. orElse] });

    [Fact]
    public async Task Transactions_AtRandom_ComeToTheSameInFileAndMemory()
    {
        using var folder = new TestFolder();
        int files = 0;
        await Transactions.Array[1, 40].SampleAsync(
            async transactions =>
            {
                var memory = new InMemoryStateStore();
                await using var file = await SqliteStateStore.OpenAsync(
                    folder.File($"{Interlocked.Increment(ref files)}.db"), null, None);
                foreach (var transaction in transactions)
                {
                    var expected = await OutcomeAsync(memory, transaction);
                    var found = await OutcomeAsync(file, transaction);
                    if (!Equals(expected, found))
                        return false;
                }

                return await memory.RangeAsync("", 100, null, None) is var all
                    && all.Equals(await file.RangeAsync("", 100, null, None))
                    && (await memory.RangeAsync("a/", 2, "a/1", None))
                        .Equals(await file.RangeAsync("a/", 2, "a/1", None))
                    && (await HistoryAsync(memory, "a", all.Revision))
                        .SequenceEqual(await HistoryAsync(file, "a", all.Revision));
            },
            iter: 60, threads: 2, time: -1);
    }

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    // What was committed, or the type of what was thrown.
    private static async Task<object> OutcomeAsync(IStateStore store, StateTransaction transaction)
    {
        try
        {
            return await store.CommitAsync(transaction, None);
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }

    private static async Task<ImmutableArray<StateWatchItem>> HistoryAsync(
        IStateStore store, string prefix, long head)
    {
        // One more commit ends the stream.
        await store.CommitAsync(
            new StateTransaction { Then = [new StateOperation.Put("a/end", Array.Empty<byte>())] }, None);
        var items = ImmutableArray.CreateBuilder<StateWatchItem>();
        await foreach (var item in store.WatchAsync(prefix, 2, None))
        {
            items.Add(item);
            if (item is StateWatchItem.Changed changed && changed.Revision == head + 1)
                break;
        }

        return items.ToImmutable();
    }
}
