using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.State;
using Gantry.Model.Volumes;
using Gantry.Steps.Jobs;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Images;

/// <summary>
/// Disk images from outside, each converted once into a frozen volume. A file is taken only when its content is what
/// its name says and it refers to no other file.
/// </summary>
public sealed class ImageLibrary
{
    private readonly IStateStore _store;
    private readonly VolumePool _volumes;
    private readonly QemuImg _images;
    private readonly JobRunner _jobs;
    private readonly TimeProvider _time;
    private readonly DocumentCollection<ImageRecord> _records;

    public ImageLibrary(IStateStore store, VolumePool volumes, QemuImg images, JobRunner jobs, TimeProvider time)
    {
        _store = store;
        _volumes = volumes;
        _images = images;
        _jobs = jobs;
        _time = time;
        _records = new DocumentCollection<ImageRecord>(store, "images/", () => ModelJson.Default.ImageRecord, schema: 1);
        Kind = new JobKind<ImageImport>(
            "import",
            version: 1,
            () => ImportJson.Default.ImageImport,
            CrashPolicy.Undo,
            [
                JobStep.Of<ImageImport>("volume", RecordVolumeAsync, DropVolumeAsync),
                JobStep.Of<ImageImport>("copy", CopyAsync, (_, _, _) => ValueTask.CompletedTask),
                JobStep.Of<ImageImport>("record", RecordAsync, (_, _, _) => ValueTask.CompletedTask),
            ]);
    }

    /// <summary>For the registry of what can be repaired after a crash.</summary>
    public JobKind<ImageImport> Kind { get; }

    public async ValueTask<ImmutableArray<ImageRecord>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await _records.ListAsync(cancellationToken).ConfigureAwait(false)).Select(document => document.Value)];

    /// <summary>Forgets an image. Its volume goes too, with the last machine or template that stands on it.</summary>
    public async Task DeleteAsync(ImageRecord image, CancellationToken cancellationToken)
    {
        await _store.CommitAsync(
            new StateTransaction
            {
                Then = [_records.Delete(image.Digest), _volumes.Unuse(image.Volume, UserOf(image.Digest))],
            },
            cancellationToken).ConfigureAwait(false);
        await _volumes.CollectAsync(image.Volume, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The image in the store, imported now if it is not there yet.</summary>
    /// <param name="path">The file.</param>
    /// <param name="digest">Its SHA-256, in hexadecimal digits, known to be right.</param>
    /// <param name="format">What it is said to be; null goes by its name.</param>
    /// <param name="progress">Shown while it is converted.</param>
    /// <param name="cancellationToken">Stops the conversion; nothing is left.</param>
    public async Task<ImageRecord> ImportAsync(
        string path, string digest, DiskImageFormat? format, IProgressSink progress, CancellationToken cancellationToken)
    {
        if ((await _records.GetAsync(digest, cancellationToken).ConfigureAwait(false))?.Value is { } known)
            return known;
        var found = DiskImageFormats.CheckForeign(path, format);
        var size = await _images.VirtualSizeAsync(path, found, cancellationToken).ConfigureAwait(false);
        FileSpace.Require(_volumes.Folders.Volumes, FileSpace.AllocatedBytes(path), $"the import of {Path.GetFileName(path)}");
        var import = new ImageImport
        {
            Path = path,
            Digest = digest,
            Format = found,
            Volume = _volumes.Plan($"image {Path.GetFileName(path)}", size) with { Frozen = true },
        };
        await _jobs.RunUnwrappedAsync(Kind, import, progress, cancellationToken).ConfigureAwait(false);
        return (await _records.GetAsync(digest, cancellationToken).ConfigureAwait(false))!.Value;
    }

    private async ValueTask<ImageImport> RecordVolumeAsync(
        ImageImport import, StepRun run, CancellationToken cancellationToken)
    {
        await _store.CommitAsync(new StateTransaction { Then = [.. _volumes.Adopt(import.Volume, JobUser(import))] }, cancellationToken)
            .ConfigureAwait(false);
        return import;
    }

    private async ValueTask DropVolumeAsync(ImageImport import, StepRun run, CancellationToken cancellationToken)
    {
        await _volumes.ReleaseAsync(import.Volume.Id, JobUser(import), cancellationToken).ConfigureAwait(false);
        File.Delete(_volumes.PathOf(import.Volume) + ".part");
    }

    private async ValueTask<ImageImport> CopyAsync(ImageImport import, StepRun run, CancellationToken cancellationToken)
    {
        var size = import.Volume.VirtualSize;
        await _volumes.ImportAsync(
            import.Volume,
            import.Path,
            import.Format,
            _images,
            part => run.Report(new StepReport
            {
                Text = $"Importing {Path.GetFileName(import.Path)}",
                Done = (long)(part * size),
                Total = size,
                Unit = "bytes",
            }),
            cancellationToken).ConfigureAwait(false);
        return import;
    }

    private async ValueTask<ImageImport> RecordAsync(
        ImageImport import, StepRun run, CancellationToken cancellationToken)
    {
        var image = new ImageRecord
        {
            Digest = import.Digest,
            Name = Path.GetFileName(import.Path),
            Volume = import.Volume.Id,
            Created = _time.GetUtcNow(),
        };
        // Of two imports of one file at once the second one's condition fails; its volume goes, the first one's is used.
        await _store.CommitAsync(
            new StateTransaction
            {
                When = [_records.Absent(import.Digest)],
                Then = [_records.Put(import.Digest, image), _volumes.Use(import.Volume.Id, UserOf(import.Digest))],
            },
            cancellationToken).ConfigureAwait(false);
        await _volumes.ReleaseAsync(import.Volume.Id, JobUser(import), cancellationToken).ConfigureAwait(false);
        return import;
    }

    private static string UserOf(string digest) => $"image-{digest}";

    private static string JobUser(ImageImport import) => $"import-{import.Volume.Id}";
}

/// <summary>What the job of an import knows; kept in its journal.</summary>
public sealed record ImageImport
{
    public required string Path { get; init; }

    public required string Digest { get; init; }

    public required DiskImageFormat Format { get; init; }

    public required VolumeRecord Volume { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ImageImport))]
internal sealed partial class ImportJson : JsonSerializerContext;
