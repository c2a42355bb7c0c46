using System.Collections.Immutable;
using System.Text;
using Gantry.Model;
using Gantry.Model.State;
using Gantry.Model.Volumes;
using Gantry.Storage.Images;

namespace Gantry.Storage.Volumes;

/// <summary>One file of a disk's chain, as an engine opens it.</summary>
public sealed record VolumeFile(VolumeId Id, string Path, VolumeFormat Format, long VirtualSize);

/// <summary>
/// The volumes of one node: a record in the store for each, a file for each, and for each the list of its users.
/// A record is always written before its file and taken away before it, so a file without a record is nobody's.
/// A volume goes when its last user does; the count and the removal are one transaction.
/// </summary>
public sealed class VolumePool(IStateStore store, DataFolders folders, TimeProvider time, IEntropy entropy)
{
    /// <summary>The most files that a disk may consist of before layers are merged.</summary>
    public const int LongestChain = 8;

    private const int MaxUsersNamed = 20;
    private const string AllUsers = "volume-users/";

    private readonly DocumentCollection<VolumeRecord> _records =
        new(store, "volumes/", () => ModelJson.Default.VolumeRecord, schema: 1);

    public DataFolders Folders => folders;

    /// <summary>A record for a new volume, not yet written anywhere.</summary>
    public VolumeRecord Plan(string purpose, long virtualSize, VolumeId? backing = null, VolumeFormat format = VolumeFormat.Qcow2) => new()
    {
        Id = VolumeId.New(entropy),
        Format = format,
        VirtualSize = virtualSize,
        Backing = backing,
        Purpose = purpose,
        Created = time.GetUtcNow(),
    };

    /// <summary>The changes that record a new volume with its first user, for a transaction of the caller's.</summary>
    public IEnumerable<StateOperation> Adopt(VolumeRecord volume, string user)
    {
        yield return _records.Put(volume.Id.Value, volume);
        yield return Use(volume.Id, user);
        if (volume.Backing is { } backing)
            yield return Use(backing, ChildUser(volume.Id));
    }

    /// <summary>The conditions without which <see cref="Adopt"/> would lay a volume over one that is gone.</summary>
    public IEnumerable<StateCompare> AdoptConditions(VolumeRecord volume)
    {
        yield return _records.Absent(volume.Id.Value);
        if (volume.Backing is { } backing)
            yield return new StateCompare.Exists(_records.KeyOf(backing.Value));
    }

    /// <summary>The change that makes <paramref name="user"/> one of the volume's users, or keeps it one.</summary>
    public StateOperation Use(VolumeId volume, string user) =>
        new StateOperation.Put(UserKey(volume, user), Encoding.UTF8.GetBytes(user));

    public StateOperation Unuse(VolumeId volume, string user) => new StateOperation.Delete(UserKey(volume, user));

    public StateCompare Exists(VolumeId volume) => new StateCompare.Exists(_records.KeyOf(volume.Value));

    /// <summary>Replaces a record within a transaction of the caller's.</summary>
    public StateOperation Put(VolumeRecord volume) => _records.Put(volume.Id.Value, volume);

    /// <summary>Makes the empty file of a recorded volume; nothing when it is there already.</summary>
    public void CreateFile(VolumeRecord volume)
    {
        var path = PathOf(volume);
        if (File.Exists(path))
            return;
        var partial = path + ".part";
        File.Delete(partial);
        try
        {
            if (volume.Format == VolumeFormat.Raw)
            {
                using var raw = new FileStream(partial, FileMode.CreateNew);
                raw.SetLength(volume.VirtualSize);
            }
            else
            {
                var backing = volume.Backing is { } id ? DataFolders.VolumeFileName(id, VolumeFormat.Qcow2) : null;
                Qcow2Writer.CreateEmpty(partial, volume.VirtualSize, backing);
            }

            File.Move(partial, path);
        }
        catch (IOException e)
        {
            File.Delete(partial);
            throw new ProblemException(
                ProblemKind.Unavailable, $"a disk can't be made in {folders.Volumes}: {e.Message}",
                "free some space, or set GANTRY_HOME to a folder on a larger file system", inner: e);
        }
    }

    public string PathOf(VolumeRecord volume) => folders.VolumeFile(volume.Id, volume.Format);

    /// <exception cref="ProblemException">There is no such volume.</exception>
    public async ValueTask<VolumeRecord> GetAsync(VolumeId id, CancellationToken cancellationToken) =>
        await FindAsync(id, cancellationToken).ConfigureAwait(false)
        ?? throw new ProblemException(
            ProblemKind.NotFound, $"volume {id} is not in the store",
            "if its file is still there, something else removed the record; gantry doctor lists such files");

    public async ValueTask<VolumeRecord?> FindAsync(VolumeId id, CancellationToken cancellationToken) =>
        (await _records.GetAsync(id.Value, cancellationToken).ConfigureAwait(false))?.Value;

    public async ValueTask<ImmutableArray<VolumeRecord>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await _records.ListAsync(cancellationToken).ConfigureAwait(false)).Select(document => document.Value)];

    /// <summary>The files of a disk, its writable top first, the one that stands alone last.</summary>
    public async ValueTask<ImmutableArray<VolumeFile>> ChainAsync(VolumeId top, CancellationToken cancellationToken)
    {
        var chain = ImmutableArray.CreateBuilder<VolumeFile>();
        for (VolumeId? next = top; next is { } id;)
        {
            var record = await GetAsync(id, cancellationToken).ConfigureAwait(false);
            chain.Add(new VolumeFile(record.Id, PathOf(record), record.Format, record.VirtualSize));
            if (chain.Count > 4 * LongestChain)
                throw new InvalidOperationException($"the chain of volume {top} does not end");
            next = record.Backing;
        }

        return chain.ToImmutable();
    }

    /// <summary>Who uses a volume; at most a handful, for messages.</summary>
    public async ValueTask<ImmutableArray<string>> UsersAsync(VolumeId id, CancellationToken cancellationToken)
    {
        var range = await store.RangeAsync(UserPrefix(id), MaxUsersNamed, null, cancellationToken)
            .ConfigureAwait(false);
        return [.. range.Entries.Select(entry => Encoding.UTF8.GetString(entry.Value.Span))];
    }

    /// <summary>Every use by users whose names begin so, for whoever looks for users that are no more.</summary>
    public async Task<ImmutableArray<(VolumeId Volume, string User)>> UsesAsync(
        string userPrefix, CancellationToken cancellationToken)
    {
        var uses = ImmutableArray.CreateBuilder<(VolumeId, string)>();
        string? after = null;
        while (true)
        {
            var page = await store.RangeAsync(AllUsers, StateLimits.MaxRange, after, cancellationToken)
                .ConfigureAwait(false);
            foreach (var entry in page.Entries)
            {
                var user = Encoding.UTF8.GetString(entry.Value.Span);
                if (user.StartsWith(userPrefix, StringComparison.Ordinal))
                    uses.Add((new VolumeId(entry.Key[AllUsers.Length..].Split('/')[0]), user));
            }

            if (!page.More)
                return uses.ToImmutable();
            after = page.Entries[^1].Key;
        }
    }

    /// <summary>Changes a volume's record, for example to say that it is frozen.</summary>
    public async ValueTask<VolumeRecord> UpdateAsync(
        VolumeId id, Func<VolumeRecord, VolumeRecord> change, CancellationToken cancellationToken) =>
        (await _records.UpdateAsync(id.Value, change, cancellationToken).ConfigureAwait(false))?.Value
        ?? await GetAsync(id, cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Records that a volume, its file rebased already, stands on another one now; the one before goes if nobody
    /// needs it.
    /// </summary>
    /// <exception cref="ProblemException">One of them is gone.</exception>
    public async Task ChangeBackingAsync(VolumeId id, VolumeId? backing, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < DocumentCollection<VolumeRecord>.MaxAttempts; attempt++)
        {
            var document = await _records.GetAsync(id.Value, cancellationToken).ConfigureAwait(false)
                ?? throw new ProblemException(ProblemKind.NotFound, $"volume {id} is gone");
            var before = document.Value.Backing;
            if (before == backing)
                return;
            List<StateCompare> when = [_records.Unchanged(document)];
            List<StateOperation> then = [_records.Put(id.Value, document.Value with { Backing = backing })];
            if (backing is { } lower)
            {
                when.Add(Exists(lower));
                then.Add(Use(lower, ChildUser(id)));
            }

            if (before is { } left)
                then.Add(Unuse(left, ChildUser(id)));
            var commit = await store.CommitAsync(
                new StateTransaction { When = [.. when], Then = [.. then] }, cancellationToken).ConfigureAwait(false);
            if (!commit.Succeeded)
                continue;
            if (before is { } old)
                await CollectAsync(old, cancellationToken).ConfigureAwait(false);
            return;
        }

        throw new DocumentConflictException(_records.KeyOf(id.Value), DocumentCollection<VolumeRecord>.MaxAttempts);
    }

    /// <summary>
    /// Records new volumes with their first user, all or none; those that are recorded already stay as they are.
    /// </summary>
    /// <exception cref="ProblemException">What one of them stands on is gone.</exception>
    public async Task AdoptAllAsync(
        IReadOnlyList<VolumeRecord> planned, string user, CancellationToken cancellationToken)
    {
        if (planned.Count > 0 && await FindAsync(planned[0].Id, cancellationToken).ConfigureAwait(false) is not null)
            return;
        var commit = await store.CommitAsync(
            new StateTransaction
            {
                When = [.. planned.SelectMany(AdoptConditions)],
                Then = [.. planned.SelectMany(volume => Adopt(volume, user))],
            },
            cancellationToken).ConfigureAwait(false);
        if (!commit.Succeeded)
            throw new ProblemException(
                ProblemKind.Conflict, "what the new disks are to stand on was deleted in the meantime", "try again");
    }

    /// <summary>Makes somebody a user of volumes that are there, all or none.</summary>
    /// <exception cref="ProblemException">One of them is gone.</exception>
    public async Task UseAllAsync(IReadOnlyList<VolumeId> ids, string user, CancellationToken cancellationToken)
    {
        var commit = await store.CommitAsync(
            new StateTransaction
            {
                When = [.. ids.Select(Exists)],
                Then = [.. ids.Select(id => Use(id, user))],
            },
            cancellationToken).ConfigureAwait(false);
        if (!commit.Succeeded)
            throw new ProblemException(ProblemKind.Conflict, "a disk's layer was deleted in the meantime", "try again");
    }

    /// <summary>The one volume that stands on another, where that is all its use; null otherwise.</summary>
    public async ValueTask<VolumeId?> OnlyChildAsync(VolumeId id, CancellationToken cancellationToken) =>
        await UsersAsync(id, cancellationToken).ConfigureAwait(false) is [var only]
            && only.StartsWith(ChildPrefix, StringComparison.Ordinal) ? new VolumeId(only[ChildPrefix.Length..]) : null;

    /// <summary>
    /// Makes the files of a chain say of themselves what the records say of them. To be called before qemu-img reads a
    /// chain: it follows the files, and must not be led out of the store.
    /// </summary>
    /// <param name="chain">As <see cref="ChainAsync"/> gives it; nothing may have those open whose names are wrong.</param>
    /// <param name="images">Writes the names.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task AlignBackingNamesAsync(
        ImmutableArray<VolumeFile> chain, QemuImg images, CancellationToken cancellationToken)
    {
        for (var i = 0; i < chain.Length; i++)
        {
            var beneath = i + 1 < chain.Length ? Path.GetFileName(chain[i + 1].Path) : null;
            if (chain[i].Format == VolumeFormat.Qcow2 && BackingNameOf(chain[i].Path) != beneath)
                await images.RenameBackingAsync(chain[i].Path, beneath, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What a qcow2 file says that it stands on; null for nothing. Not to be followed.</summary>
    /// <exception cref="ProblemException">It is no qcow2 image.</exception>
    public static string? BackingNameOf(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var header = Qcow2Header.Read(file)
            ?? throw new ProblemException(
                ProblemKind.Failed, $"{path} is no qcow2 image", "something other than Gantry wrote to it");
        return header.BackingFile;
    }

    /// <summary>Ends one use. The volume, and each beneath it that nobody else uses, goes with its last one.</summary>
    public async Task ReleaseAsync(VolumeId id, string user, CancellationToken cancellationToken)
    {
        await store.CommitAsync(
            new StateTransaction { Then = [Unuse(id, user)] }, cancellationToken).ConfigureAwait(false);
        await CollectAsync(id, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes a volume if it has no user, and so on down its chain. Repeating it does no harm.</summary>
    public async Task CollectAsync(VolumeId id, CancellationToken cancellationToken)
    {
        for (VolumeId? next = id; next is { } current;)
        {
            if (await _records.GetAsync(current.Value, cancellationToken).ConfigureAwait(false) is not { } document)
                return;
            var operations = ImmutableArray.Create(_records.Delete(current.Value));
            if (document.Value.Backing is { } backing)
                operations = operations.Add(Unuse(backing, ChildUser(current)));
            var commit = await store.CommitAsync(
                new StateTransaction
                {
                    When = [_records.Unchanged(document), new StateCompare.RangeEmpty(UserPrefix(current))],
                    Then = operations,
                },
                cancellationToken).ConfigureAwait(false);
            if (!commit.Succeeded)
                return;
            File.Delete(PathOf(document.Value));
            next = document.Value.Backing;
        }
    }

    /// <summary>
    /// Takes away files that no record speaks of (left by a crash between the two) and volumes without users.
    /// Returns what it removed. Safe beside running commands: files are listed before records are read.
    /// </summary>
    public async Task<ImmutableArray<string>> SweepAsync(CancellationToken cancellationToken)
    {
        var files = Directory.GetFiles(folders.Volumes);
        var records = await _records.ListAsync(cancellationToken).ConfigureAwait(false);
        var known = records.Select(document => PathOf(document.Value)).ToHashSet(StringComparer.Ordinal);
        var removed = ImmutableArray.CreateBuilder<string>();
        foreach (var file in files.Where(file => !known.Contains(WithoutPart(file))))
        {
            File.Delete(file);
            removed.Add(Path.GetFileName(file));
        }

        var used = (await UsesAsync("", cancellationToken).ConfigureAwait(false)).Select(use => use.Volume).ToHashSet();
        foreach (var document in records.Where(document => !used.Contains(document.Value.Id)))
            await CollectAsync(document.Value.Id, cancellationToken).ConfigureAwait(false);
        return removed.ToImmutable();
    }

    /// <summary>Bytes that the volume's own file takes on disk.</summary>
    public long AllocatedBytes(VolumeRecord volume) => FileSpace.AllocatedBytes(PathOf(volume));

    /// <summary>Copies a disk file from outside into a recorded volume, as qcow2.</summary>
    public async Task ImportAsync(
        VolumeRecord volume, string source, DiskImageFormat format, QemuImg images, Action<double>? progress, CancellationToken cancellationToken)
    {
        var path = PathOf(volume);
        if (!File.Exists(path))
            await images.ConvertAsync(source, format, path, DiskImageFormat.Qcow2, progress, cancellationToken)
                .ConfigureAwait(false);
    }

    private static string WithoutPart(string file) =>
        file.EndsWith(".part", StringComparison.Ordinal) ? file[..^5] : file;

    private const string ChildPrefix = "volume-";

    private static string ChildUser(VolumeId child) => ChildPrefix + child.Value;

    private static string UserPrefix(VolumeId id) => $"{AllUsers}{id}/";

    private static string UserKey(VolumeId id, string user) => UserPrefix(id) + user;
}
