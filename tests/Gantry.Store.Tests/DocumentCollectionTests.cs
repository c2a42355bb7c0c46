using System.Text;
using System.Text.Json.Serialization;
using Gantry.Model.State;

namespace Gantry.Store.Tests;

public sealed record Thing
{
    public required string Name { get; init; }

    public int Count { get; init; }
}

[JsonSourceGenerationOptions(
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Thing))]
public sealed partial class ThingJson : JsonSerializerContext;

[JsonSerializable(typeof(Thing))]
public sealed partial class LaxJson : JsonSerializerContext;

public sealed class DocumentCollectionTests : IAsyncDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly InMemoryStateStore _store = new();
    private readonly DocumentCollection<Thing> _things;

    public DocumentCollectionTests() =>
        _things = new DocumentCollection<Thing>(_store, "things/", () => ThingJson.Default.Thing, 3);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task Create_NewThenAgain_RefusesTheSecond()
    {
        var made = await _things.CreateAsync("1", new Thing { Name = "one" }, None);
        Assert.Null(await _things.CreateAsync("1", new Thing { Name = "other" }, None));

        var read = await _things.GetAsync("1", None);
        Assert.Equal(made, read);
        Assert.Equal(("1", "things/1", "one"), (read!.Id, read.Key, read.Value.Name));
        var entry = await _store.GetAsync("things/1", None);
        Assert.Equal(
            """{"schema":3,"document":{"name":"one","count":0}}""", Encoding.UTF8.GetString(entry!.Value.Span));
    }

    [Fact]
    public async Task Update_OfNothing_IsNull() => Assert.Null(await _things.UpdateAsync("1", thing => thing, None));

    [Fact]
    public async Task Update_SameObject_WritesNothing()
    {
        var made = await _things.CreateAsync("1", new Thing { Name = "one" }, None);
        Assert.Equal(made, await _things.UpdateAsync("1", thing => thing, None));
    }

    [Fact]
    public async Task Update_ManyAtOnce_LosesNothing()
    {
        await _things.CreateAsync("1", new Thing { Name = "one" }, None);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 50; i++)
            {
                try
                {
                    await _things.UpdateAsync("1", thing => thing with { Count = thing.Count + 1 }, None);
                }
                catch (DocumentConflictException)
                {
                    i--;
                }
            }
        })));
        Assert.Equal(200, (await _things.GetAsync("1", None))!.Value.Count);
    }

    [Fact]
    public async Task Update_AlwaysOvertaken_GivesUp()
    {
        await _things.CreateAsync("1", new Thing { Name = "one" }, None);
        int calls = 0;
        var error = await Assert.ThrowsAsync<DocumentConflictException>(async () => await _things.UpdateAsync(
            "1",
            thing =>
            {
                calls++;
                _store.CommitAsync(new StateTransaction { Then = [_things.Put("1", thing)] }, None).AsTask()
                    .GetAwaiter().GetResult();
                return thing with { Count = 1 };
            },
            None));
        Assert.Equal("things/1", error.Key);
        Assert.Equal(DocumentCollection<Thing>.MaxAttempts, calls);
    }

    [Fact]
    public async Task Replace_And_Delete_OfWhatChangedMeanwhile_AreRefused()
    {
        var old = (await _things.CreateAsync("1", new Thing { Name = "one" }, None))!;
        var now = await _things.UpdateAsync("1", thing => thing with { Count = 5 }, None);
        Assert.Null(await _things.ReplaceAsync(old, old.Value with { Count = 6 }, None));
        Assert.False(await _things.DeleteAsync(old, None));
        Assert.True(await _things.DeleteAsync(now!, None));
        Assert.Null(await _things.GetAsync("1", None));
    }

    [Fact]
    public async Task List_SomeDocuments_AreInOrderOfTheirIds()
    {
        foreach (string id in new[] { "b", "a", "c/d" })
            await _things.CreateAsync(id, new Thing { Name = id }, None);
        await _store.CommitAsync(
            new StateTransaction { Then = [new StateOperation.Put("thingsx", Array.Empty<byte>())] }, None);
        Assert.Equal(["a", "b", "c/d"], (await _things.ListAsync(None)).Select(thing => thing.Id));
    }

    [Theory]
    [InlineData("""{"schema":3,"document":{"name":"one","unknown":1}}""", 3)]
    [InlineData("""{"schema":3,"document":{"name":"one"},"more":1}""", 3)]
    [InlineData("""{"schema":3,"document":null}""", 3)]
    [InlineData("""{"schema":3,"document":{"count":1}}""", 3)]
    [InlineData("""{"schema":3,"document":{"name":"o""", 3)]
    [InlineData("""{"schema":3}""", 3)]
    [InlineData("""{"schema":4,"document":{"whatever":[]}}""", 4)]
    [InlineData("""{"schema":2,"document":{"name":"one"}}""", 2)]
    [InlineData("""{"document":{"name":"one"}}""", null)]
    [InlineData("""{"schema":"3","document":{"name":"one"}}""", null)]
    [InlineData("[]", null)]
    [InlineData("", null)]
    [InlineData("\u0000\u0001", null)]
    public async Task Get_DocumentOfAnotherShape_NamesKeyAndSchema(string json, int? schema)
    {
        await _store.CommitAsync(
            new StateTransaction { Then = [new StateOperation.Put("things/1", Encoding.UTF8.GetBytes(json))] }, None);
        var error = await Assert.ThrowsAsync<DocumentUnreadableException>(
            async () => await _things.GetAsync("1", None));
        Assert.Equal(("things/1", 3, schema), (error.Key, error.ExpectedSchema, error.FoundSchema));
        Assert.Contains("'things/1'", error.Message, StringComparison.Ordinal);
        Assert.Contains("expected 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Collection_ContextThatTakesUnknownMembers_IsRefusedBeforeAnythingIsWritten()
    {
        var things = new DocumentCollection<Thing>(_store, "things/", () => LaxJson.Default.Thing, 1);
        var error = await Assert.ThrowsAsync<ArgumentException>(
            async () => await things.CreateAsync("1", new Thing { Name = "a" }, None));
        Assert.Contains("UnmappedMemberHandling", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Collection_PrefixWithoutSlash_IsRefused() => Assert.Throws<ArgumentException>(
        () => new DocumentCollection<Thing>(_store, "things", () => ThingJson.Default.Thing, 1));
}
