using System.Text;
using Gantry.Model.State;
using Gantry.Store.Sqlite;

namespace Gantry.Store.Tests;

public sealed class SqliteStateStoreTests : StateStoreBehaviour
{
    private readonly TestFolder _folder = new();

    private string File => _folder.File("state/gantry.db");

    protected override async ValueTask<IStateStore> OpenAsync() => await SqliteStateStore.OpenAsync(File, null, None);

    protected override ValueTask CompactAsync(long revision) =>
        ((SqliteStateStore)Store).CompactAsync(revision, None);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Open_NewFile_IsPrivateWithItsFolderAndLog()
    {
        await DoAsync(Put("a", ""));
        const UnixFileMode file = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(file, System.IO.File.GetUnixFileMode(File));
        Assert.Equal(file, System.IO.File.GetUnixFileMode(File + "-wal"));
        Assert.Equal(
            file | UnixFileMode.UserExecute, System.IO.File.GetUnixFileMode(Path.GetDirectoryName(File)!));
    }

    [Fact]
    public async Task Open_Again_FindsIdentityRevisionAndEntries()
    {
        var identity = Store.Identity;
        var commit = await DoAsync(Put("a", "1"));
        await Store.DisposeAsync();

        await using var again = await SqliteStateStore.OpenAsync(File, null, None);
        Assert.Equal(identity, again.Identity);
        var range = await again.RangeAsync("", 10, null, None);
        Assert.Equal(commit.Revision, range.Revision);
        Assert.Equal(Bytes("1"), Assert.Single(range.Entries).Value.ToArray());
    }

    [Fact]
    public async Task Open_TwoFiles_HaveTwoIdentities()
    {
        await using var other = await SqliteStateStore.OpenAsync(_folder.File("other.db"), null, None);
        Assert.NotEqual(Store.Identity.StoreId, other.Identity.StoreId);
    }

    [Fact]
    public async Task Open_ManyAtOnceOnNoFile_AgreeOnOneIdentity()
    {
        string path = _folder.File("race/gantry.db");
        var stores = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            async () => await SqliteStateStore.OpenAsync(path, null, None))));
        Assert.Single(stores.Select(store => store.Identity).Distinct());
        foreach (var store in stores)
            await store.DisposeAsync();
    }

    [Fact]
    public async Task Open_EmptyFile_IsMadeAStore()
    {
        string path = _folder.File("empty.db");
        await System.IO.File.WriteAllBytesAsync(path, []);
        await using var store = await SqliteStateStore.OpenAsync(path, null, None);
        Assert.Null(await store.GetAsync("a", None));
    }

    [Fact]
    public async Task Open_FileThatIsNoDatabase_SaysWhatToDoAndLeavesIt()
    {
        string path = _folder.File("noise.db");
        byte[] noise = new byte[8192];
        new Random(7).NextBytes(noise);
        await System.IO.File.WriteAllBytesAsync(path, noise);
        var error = await Assert.ThrowsAsync<StateStoreException>(
            async () => await SqliteStateStore.OpenAsync(path, null, None));
        Assert.Equal(StateStoreProblem.Corrupt, error.Problem);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("backup", error.Message, StringComparison.Ordinal);
        Assert.Equal(noise, await System.IO.File.ReadAllBytesAsync(path));
    }

    [Fact]
    public async Task Open_DatabaseOfSomethingElse_IsRefused()
    {
        string path = _folder.File("foreign.db");
        await System.IO.File.WriteAllBytesAsync(path, []);
        using (var connection = SqliteConnection.Open(path))
            connection.Run("CREATE TABLE theirs (x)");
        var error = await Assert.ThrowsAsync<StateStoreException>(
            async () => await SqliteStateStore.OpenAsync(path, null, None));
        Assert.Equal(StateStoreProblem.Corrupt, error.Problem);
        Assert.Contains("not a state file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_NewerSchema_SaysWhichIsKnown()
    {
        await Store.DisposeAsync();
        using (var connection = SqliteConnection.Open(File))
            connection.Run("PRAGMA user_version=99");
        var error = await Assert.ThrowsAsync<StateStoreException>(
            async () => await SqliteStateStore.OpenAsync(File, null, None));
        Assert.Equal(StateStoreProblem.NewerSchema, error.Problem);
        Assert.Contains("schema 99", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_DamagedPages_SaysCorrupt()
    {
        for (int i = 0; i < 100; i++)
            await DoAsync(Put($"k/{i}", new string('x', 2000)));
        await Store.DisposeAsync();
        byte[] bytes = await System.IO.File.ReadAllBytesAsync(File);
        // All but the first page, which alone is read when the file is opened; and the identity's.
        new Random(3).NextBytes(bytes.AsSpan(4096 * 4));
        await System.IO.File.WriteAllBytesAsync(File, bytes);

        var error = await Assert.ThrowsAsync<StateStoreException>(async () =>
        {
            await using var store = await SqliteStateStore.OpenAsync(File, null, None);
            await store.RangeAsync("", 1000, null, None);
        });
        Assert.Equal(StateStoreProblem.Corrupt, error.Problem);
    }

    [Fact]
    public async Task Open_FolderThatCannotBeMade_SaysWhich()
    {
        await System.IO.File.WriteAllTextAsync(_folder.File("plain"), "");
        var error = await Assert.ThrowsAsync<StateStoreException>(
            async () => await SqliteStateStore.OpenAsync(_folder.File("plain/state.db"), null, None));
        Assert.Equal(StateStoreProblem.Unavailable, error.Problem);
        Assert.Contains("plain/state.db", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commit_NoRoom_SaysSoAndWritesNothing()
    {
        // SQLite answers a full file, and a full file system, with the same code at the same places.
        await DoAsync(Put("a", "before"));
        string path = _folder.File("full.db");
        await using var store = await SqliteStateStore.OpenAsync(path, null, None);
        store.LimitPages(20);
        int kept = 0;
        StateStoreException? error = null;
        for (int i = 0; i < 100 && error is null; i++)
        {
            try
            {
                await store.CommitAsync(
                    new StateTransaction { Then = [Put($"a/{i}", new string('x', 4000)), Put($"b/{i}", "")] }, None);
                kept++;
            }
            catch (StateStoreException e)
            {
                error = e;
            }
        }

        Assert.Equal(StateStoreProblem.DiskFull, error?.Problem);
        var range = await store.RangeAsync("", 1000, null, None);
        Assert.Equal(kept * 2, range.Entries.Length);
        Assert.Equal(kept + 1, range.Revision);
    }

    [Fact]
    public async Task Commit_FileHeldTooLong_SaysBusyAndWritesNothing()
    {
        var options = new SqliteStateOptions { BusyTimeout = TimeSpan.Zero };
        await using var impatient = await SqliteStateStore.OpenAsync(File, options, None);
        using var holder = SqliteConnection.Open(File);
        holder.Run("BEGIN IMMEDIATE");
        var error = await Assert.ThrowsAsync<StateStoreException>(async () => await impatient.CommitAsync(
            new StateTransaction { Then = [Put("a", "")] }, None));
        Assert.Equal(StateStoreProblem.Busy, error.Problem);
        Assert.Null(await impatient.GetAsync("a", None));
        holder.Run("ROLLBACK");
        Assert.True((await impatient.CommitAsync(new StateTransaction { Then = [Put("a", "")] }, None)).Succeeded);
    }

    [Fact]
    public async Task Commit_FileHeld_CanBeCancelledWhileWaiting()
    {
        using var holder = SqliteConnection.Open(File);
        holder.Run("BEGIN IMMEDIATE");
        using var stop = new CancellationTokenSource();
        var commit = Task.Run(async () => await Store.CommitAsync(
            new StateTransaction { Then = [Put("a", "")] }, stop.Token));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => commit);
    }

    [Fact]
    public async Task Watch_CommitOfAnotherConnection_IsSeen()
    {
        await using var other = await SqliteStateStore.OpenAsync(File, null, None);
        var now = await DoAsync(Put("w/a", "0"));
        var items = TakeAsync("w/", now.Revision + 1, 2);
        await other.CommitAsync(new StateTransaction { Then = [Put("w/a", "1")] }, None);
        await other.CommitAsync(new StateTransaction { Then = [Put("w/a", "2")] }, None);
        Assert.Equal(2, (await items).Count);
    }

    [Fact]
    public async Task Watch_StoreDisposedOf_Ends()
    {
        var task = Task.Run(async () => await TakeAsync("w/", 100, 1));
        await Store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => task);
    }

    [Theory]
    [InlineData(64, long.MaxValue / 2)]
    [InlineData(1_000_000, 20_000)]
    public async Task History_BeyondItsLimits_IsForgottenAndTheStateStays(int revisions, long bytes)
    {
        string path = _folder.File("trim.db");
        var options = new SqliteStateOptions { HistoryRevisions = revisions, HistoryBytes = bytes };
        await using var store = await SqliteStateStore.OpenAsync(path, options, None);
        for (int i = 0; i < 300; i++)
        {
            await store.CommitAsync(
                new StateTransaction { Then = [Put($"k/{i % 7}", new string((char)('a' + (i % 26)), 200))] }, None);
        }

        var items = new List<StateWatchItem>();
        await foreach (var item in store.WatchAsync("", 2, None))
            items.Add(item);
        var compacted = Assert.IsType<StateWatchItem.Compacted>(Assert.Single(items)).CompactedRevision;
        Assert.InRange(compacted, 301 - 64 - 128, 301 - 64);
        Assert.Equal(7, (await store.RangeAsync("k/", 10, null, None)).Entries.Length);
    }
}
