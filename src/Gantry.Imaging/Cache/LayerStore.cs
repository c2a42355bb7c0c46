using System.Collections.Immutable;
using Gantry.Imaging.Builds;
using Gantry.Model;
using Gantry.Model.State;
using Gantry.Model.Volumes;
using Gantry.Storage;
using Gantry.Storage.Volumes;

namespace Gantry.Imaging.Cache;

/// <summary>
/// The layers of this node. A layer's record is written last, in one transaction with its use of its volumes; a folder
/// without a record is what a crash left, and is taken away by <see cref="SweepAsync"/>.
/// </summary>
public sealed class LayerStore(IStateStore store, DataFolders folders, VolumePool volumes, TimeProvider time)
{
    private const string MemoryName = "memory";
    private const string KeyName = "id";
    private const string TpmName = "tpm";

    private readonly DocumentCollection<LayerRecord> _records = new(store, "layers/", () => LayerJson.Default.LayerRecord, schema: 1);

    /// <summary>The folder of a layer's files, whether or not it exists.</summary>
    public string FolderOf(string key) => Path.Combine(folders.Layers, key);

    public string MemoryFile(string key) => Path.Combine(FolderOf(key), MemoryName);

    /// <summary>The build's private key, readable by its owner only.</summary>
    public string PrivateKeyFile(string key) => Path.Combine(FolderOf(key), KeyName);

    public string TpmFolder(string key) => Path.Combine(FolderOf(key), TpmName);

    /// <summary>A layer whose files are all there; null otherwise.</summary>
    public async ValueTask<LayerRecord?> FindAsync(string key, CancellationToken cancellationToken)
    {
        var layer = (await _records.GetAsync(key, cancellationToken).ConfigureAwait(false))?.Value;
        if (layer is null || (layer.HasMemory && !File.Exists(MemoryFile(key))))
            return null;
        foreach (var disk in DisksOf(layer))
        {
            if (await volumes.FindAsync(disk, cancellationToken).ConfigureAwait(false) is not { } volume
                || !File.Exists(volumes.PathOf(volume)))
            {
                return null;
            }
        }

        return layer;
    }

    public async ValueTask<ImmutableArray<LayerRecord>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await _records.ListAsync(cancellationToken).ConfigureAwait(false)).Select(document => document.Value)
            .OrderBy(layer => layer.Created)];

    /// <summary>Makes the layer's folder, empty, for its files to be written into.</summary>
    public string BeginFolder(string key)
    {
        var folder = FolderOf(key);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }

    /// <summary>Records a layer whose files are written. False when one of its volumes is gone.</summary>
    public async ValueTask<bool> AddAsync(LayerRecord layer, CancellationToken cancellationToken)
    {
        var disks = DisksOf(layer).ToList();
        // A record whose files were lost is replaced; nobody else will let go of what it held.
        var old = (await _records.GetAsync(layer.Key, cancellationToken).ConfigureAwait(false))?.Value;
        var commit = await store.CommitAsync(
            new StateTransaction
            {
                When = [.. disks.Select(volumes.Exists)],
                Then = [_records.Put(layer.Key, layer), .. disks.Select(disk => volumes.Use(disk, UserOf(layer.Key)))],
            },
            cancellationToken).ConfigureAwait(false);
        if (commit.Succeeded && old is not null)
        {
            foreach (var disk in DisksOf(old).Except(disks))
                await volumes.ReleaseAsync(disk, UserOf(layer.Key), cancellationToken).ConfigureAwait(false);
        }

        return commit.Succeeded;
    }

    /// <summary>Notes that a build went on from the layer, so that it is evicted late.</summary>
    public async ValueTask TouchAsync(string key, CancellationToken cancellationToken) =>
        await _records.UpdateAsync(key, layer => layer with { LastUsed = time.GetUtcNow() }, cancellationToken)
            .ConfigureAwait(false);

    /// <summary>Takes a layer away: its record first, then its files. Disks that others stand on stay.</summary>
    public async Task RemoveAsync(string key, CancellationToken cancellationToken)
    {
        if (await _records.GetAsync(key, cancellationToken).ConfigureAwait(false) is { } document
            && await _records.DeleteAsync(document, cancellationToken).ConfigureAwait(false))
        {
            foreach (var disk in DisksOf(document.Value))
                await volumes.ReleaseAsync(disk, UserOf(key), cancellationToken).ConfigureAwait(false);
        }

        var folder = FolderOf(key);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>
    /// Removes the least recently used layers until the rest take at most <paramref name="limit"/> bytes.
    /// Returns what it removed.
    /// </summary>
    public async Task<ImmutableArray<LayerRecord>> EvictAsync(
        long limit, IReadOnlySet<string> keep, CancellationToken cancellationToken)
    {
        var layers = await ListAsync(cancellationToken).ConfigureAwait(false);
        var total = layers.Sum(layer => layer.Bytes);
        var removed = ImmutableArray.CreateBuilder<LayerRecord>();
        foreach (var layer in layers.OrderBy(layer => layer.LastUsed).Where(layer => !keep.Contains(layer.Key)))
        {
            if (total <= limit)
                break;
            await RemoveAsync(layer.Key, cancellationToken).ConfigureAwait(false);
            total -= layer.Bytes;
            removed.Add(layer);
        }

        return removed.ToImmutable();
    }

    /// <summary>
    /// Takes away what a layer left that was never recorded: its folder, and its hold on volumes. Nothing else of it
    /// exists. Its caller holds the layer's claim.
    /// </summary>
    public async Task DiscardAsync(string key, CancellationToken cancellationToken)
    {
        foreach (var (volume, user) in await volumes.UsesAsync(UserOf(key), cancellationToken).ConfigureAwait(false))
            await volumes.ReleaseAsync(volume, user, cancellationToken).ConfigureAwait(false);
        if (Directory.Exists(FolderOf(key)))
            Directory.Delete(FolderOf(key), recursive: true);
    }

    /// <summary>
    /// Takes away what builds that were killed left of layers: folders and holds on volumes that no record speaks of,
    /// and claims of the dead. What a living build is writing is left to it.
    /// </summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var suspects = Directory.GetDirectories(folders.Layers).Select(folder => Path.GetFileName(folder)).ToHashSet();
        foreach (var (_, user) in await volumes.UsesAsync(UserOf(""), cancellationToken).ConfigureAwait(false))
            suspects.Add(user[UserOf("").Length..]);
        suspects.ExceptWith((await ListAsync(cancellationToken).ConfigureAwait(false)).Select(layer => layer.Key));
        foreach (var key in suspects)
        {
            using var claim = FileClaim.TryTake(FileClaim.OfLayer(folders, key));
            // Who wrote it may have recorded it since we looked.
            if (claim is not null && await _records.GetAsync(key, cancellationToken).ConfigureAwait(false) is null)
                await DiscardAsync(key, cancellationToken).ConfigureAwait(false);
        }

        FileClaim.Sweep(folders.Layers);
    }

    /// <summary>
    /// Removes the least recently used layers until the store's file system has so many bytes free, or none is left.
    /// Returns what it removed.
    /// </summary>
    public async Task<ImmutableArray<LayerRecord>> MakeRoomAsync(
        long bytes, IReadOnlySet<string> keep, CancellationToken cancellationToken)
    {
        var removed = ImmutableArray.CreateBuilder<LayerRecord>();
        var layers = await ListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var layer in layers.OrderBy(layer => layer.LastUsed).Where(layer => !keep.Contains(layer.Key)))
        {
            if (FileSpace.FreeBytes(folders.Volumes) >= bytes)
                break;
            await RemoveAsync(layer.Key, cancellationToken).ConfigureAwait(false);
            removed.Add(layer);
        }

        return removed.ToImmutable();
    }

    private static IEnumerable<VolumeId> DisksOf(LayerRecord layer) =>
        layer.Variables is { } variables
            ? layer.Spec.Disks.Select(disk => disk.Volume).Append(variables)
            : layer.Spec.Disks.Select(disk => disk.Volume);

    /// <summary>How a layer is named as the user of its volumes.</summary>
    public static string UserOf(string key) => $"layer-{key}";
}
