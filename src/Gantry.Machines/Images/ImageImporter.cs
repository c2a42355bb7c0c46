using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Machines.Delete;
using Gantry.Machines.Run;
using Gantry.Machines.Templates;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;
using Gantry.Steps.Jobs;
using Gantry.Storage.Appliances;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Images;

/// <summary>What an import needs of its node.</summary>
public sealed record ImportServices
{
    public required VolumePool Volumes { get; init; }

    public required QemuImg Images { get; init; }

    public required MachineCatalog Machines { get; init; }

    public required TemplateCatalog Templates { get; init; }

    public required TemplateMaker TemplateMaker { get; init; }

    public required MachineMaker Maker { get; init; }

    public required MachineRemover Remover { get; init; }

    public required MachineHost Host { get; init; }

    public required JobRunner Jobs { get; init; }

    public required TimeProvider Time { get; init; }

    public required IEntropy Entropy { get; init; }
}

/// <summary>
/// Makes templates and machines of disk images and OVF packages. qemu-img writes straight into the pool; nothing is
/// unpacked or copied before. Until the end only the journal and unnamed volumes know of it.
/// </summary>
public sealed class ImageImporter
{
    private readonly ImportServices _node;
    private readonly ImportPlanner _planner;

    public ImageImporter(ImportServices node)
    {
        _node = node;
        _planner = new ImportPlanner(node.Volumes, node.Images);
        Kind = new JobKind<ImageImportJob>(
            "image-import",
            version: 1,
            () => ImageImportJson.Default.ImageImportJob,
            CrashPolicy.Undo,
            [
                JobStep.Of<ImageImportJob>("volumes", RecordVolumesAsync, DropVolumesAsync),
                JobStep.Of<ImageImportJob>("copy", CopyAsync, (_, _, _) => ValueTask.CompletedTask),
                JobStep.Of<ImageImportJob>("publish", PublishAsync, UnpublishAsync),
                JobStep.Of<ImageImportJob>("release", ReleaseAsync, (_, _, _) => ValueTask.CompletedTask),
            ],
            pointOfNoReturn: "publish");
    }

    /// <summary>For the registry of what can be repaired after a crash.</summary>
    public JobKind<ImageImportJob> Kind { get; }

    private VolumePool Volumes => _node.Volumes;

    /// <summary>Imports a file.</summary>
    /// <exception cref="ProblemException">It can't be taken, a name is taken, or there is no room; nothing is
    /// left.</exception>
    public async Task<ImportResult> ImportAsync(
        ImportRequest request, IProgressSink progress, CancellationToken cancellationToken)
    {
        progress.Activity($"Looking into {request.SourceName}");
        var (job, remarks) = await PlanAsync(request, cancellationToken).ConfigureAwait(false);
        var done = await _node.Jobs.RunUnwrappedAsync(Kind, job, progress, cancellationToken).ConfigureAwait(false);
        return new ImportResult
        {
            Template = done.Record,
            Machine = done.MachineUuid is null
                ? null : await _node.Machines.GetAsync(done.Spec.Name, cancellationToken).ConfigureAwait(false),
            Remarks = remarks,
        };
    }

    internal async Task<(ImageImportJob Job, ValueList<ApplianceRemark> Remarks)> PlanAsync(
        ImportRequest request, CancellationToken cancellationToken)
    {
        var (spec, disks, remarks) = await _planner.PlanAsync(request, cancellationToken).ConfigureAwait(false);
        SpecCheck.Check(spec);
        var previous = request.AsMachine ? null : await _node.Templates.FindAsync(
            spec.Name, cancellationToken).ConfigureAwait(false);
        if (previous is not null && !request.Replace)
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"there is already a template '{spec.Name}'",
                "give another name (--name NAME), or replace it (--force)");
        }

        if (request.AsMachine && await _node.Machines.FindAsync(spec.Name, cancellationToken)
            .ConfigureAwait(false) is not null)
            throw new ProblemException(
                ProblemKind.Conflict, $"there is already a machine '{spec.Name}'", "give another name: --name NAME");
        return (
            new ImageImportJob
            {
                SourceName = request.SourceName,
                Spec = spec,
                Disks = disks,
                TemplateId = _node.Entropy.NewHex(8),
                MachineUuid = request.AsMachine ? _node.Entropy.NewUuid() : null,
                Previous = previous?.Id,
                Digest = request.Digest,
                LoginUser = request.LoginUser,
            },
            remarks);
    }

    private async ValueTask<ImageImportJob> RecordVolumesAsync(
        ImageImportJob job, StepRun run, CancellationToken cancellationToken)
    {
        await Volumes.AdoptAllAsync(
            [.. job.Disks.Select(disk => disk.Volume)], User(job), cancellationToken).ConfigureAwait(false);
        return job;
    }

    private async ValueTask DropVolumesAsync(ImageImportJob job, StepRun run, CancellationToken cancellationToken)
    {
        foreach (var volume in job.Disks.Select(disk => disk.Volume))
        {
            await Volumes.ReleaseAsync(volume.Id, User(job), cancellationToken).ConfigureAwait(false);
            File.Delete(Volumes.PathOf(volume) + ".part");
        }
    }

    private async ValueTask<ImageImportJob> CopyAsync(
        ImageImportJob job, StepRun run, CancellationToken cancellationToken)
    {
        var total = job.Disks.Where(disk => disk.Source is not null).Sum(disk => disk.Volume.VirtualSize);
        var before = 0L;
        var disks = new List<ImportedDisk>();
        foreach (var disk in job.Disks)
        {
            var done = before;
            disks.Add(await CopyOneAsync(
                job,
                disk,
                part => run.Report(new StepReport
                {
                    Text = $"Importing {disk.Name}",
                    Done = done + (long)(part * disk.Volume.VirtualSize),
                    Total = total,
                    Unit = "bytes",
                }),
                cancellationToken).ConfigureAwait(false));
            before += disk.Source is null ? 0 : disk.Volume.VirtualSize;
        }

        job = job with { Disks = [.. disks] };
        return job.MachineUuid is null ? job with { Record = RecordOf(job) } : job;
    }

    /// <summary>Converts a disk and, beside that, reads the same files for their digest.</summary>
    private async Task<ImportedDisk> CopyOneAsync(
        ImageImportJob job, ImportedDisk disk, Action<double> progress, CancellationToken cancellationToken)
    {
        var path = Volumes.PathOf(disk.Volume);
        if (disk.Source is not { } source)
        {
            Volumes.CreateFile(disk.Volume);
            return disk;
        }

        // Once more, just before it is opened: it may have become another file since.
        var image = ForeignImage.Check(
            source.Path, source.Format, source.Part, disk.Name,
            mayHaveExtents: job.Digest is null && source.Part is null && disk.Expected is null);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var isKnown = job.Digest is not null && disk.Name == job.SourceName && source.Part is null
            && image.Files.Count == 1;
        var hashing = isKnown
            ? Task.FromResult((Sha256: job.Digest!, Second: (string?)null))
            : SourceHasher.HashAsync(image.Files, source.Part, disk.Expected?.Algorithm, both.Token);
        var copying = ConvertAsync(image.Source, path, progress, both.Token);
        try
        {
            var first = await Task.WhenAny(hashing, copying).ConfigureAwait(false);
            await first.ConfigureAwait(false);
            var (sha256, found) = await hashing.ConfigureAwait(false);
            if (disk.Expected is { } expected)
                AppliancePackage.Verify(disk.Name, expected, found!);
            await copying.ConfigureAwait(false);
            return disk with { Digest = sha256 };
        }
        catch
        {
            await both.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(hashing, copying).ContinueWith(_ => { }, TaskScheduler.Default).ConfigureAwait(false);
            throw;
        }
    }

    private async Task ConvertAsync(
        DiskImageSource source, string path, Action<double> progress, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            await _node.Images.ConvertAsync(
                source, path, new DiskImageTarget { Format = DiskImageFormat.Qcow2 }, progress,
                cancellationToken).ConfigureAwait(false);
        }

        // What is acknowledged is on the disk.
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }

    private TemplateRecord RecordOf(ImageImportJob job)
    {
        var spec = job.Spec with
        {
            Cdroms = [],
            Disks = job.Disks.Select(disk => new DiskSpec { Volume = disk.Volume.Id, Bus = disk.Bus }).ToValueList(),
        };
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(JsonSerializer.SerializeToUtf8Bytes(spec with { Disks = [] }, ModelJson.Default.MachineSpec));
        foreach (var disk in job.Disks)
            digest.AppendData(Encoding.ASCII.GetBytes($"{disk.Bus} {disk.Volume.VirtualSize} {disk.Digest}\n"));
        var hex = Convert.ToHexStringLower(digest.GetHashAndReset());
        return new TemplateRecord
        {
            Id = job.TemplateId,
            Name = job.Spec.Name,
            Created = _node.Time.GetUtcNow(),
            Digest = hex,
            Spec = spec,
            Provenance = ProvenanceOf(
                job, new ProvenanceLink { Kind = "template", Name = job.Spec.Name, Digest = hex }),
            LoginUser = job.LoginUser,
        };
    }

    private static Provenance ProvenanceOf(ImageImportJob job, ProvenanceLink? last)
    {
        var sources = job.Disks.Where(disk => disk.Digest is not null)
            .Select(disk => new ProvenanceLink { Kind = "image", Name = disk.Name, Digest = disk.Digest! });
        return new Provenance { Chain = last is null ? [.. sources] : [.. sources, last] };
    }

    private async ValueTask<ImageImportJob> PublishAsync(
        ImageImportJob job, StepRun run, CancellationToken cancellationToken)
    {
        if (job.MachineUuid is not null)
        {
            await PublishMachineAsync(job, cancellationToken).ConfigureAwait(false);
            return job;
        }

        if (await _node.Templates.FindByIdAsync(job.TemplateId, cancellationToken).ConfigureAwait(false) is not null)
            return job; // done by the run that was cut off
        var previous = job.Previous is { } id ? await _node.Templates.FindByIdAsync(id, cancellationToken)
            .ConfigureAwait(false) : null;
        var volumes = job.Disks.Select(disk => disk.Volume.Id).ToList();
        var published = await _node.Templates.TryPublishAsync(
            job.Record!,
            previous,
            volumes.Select(Volumes.Exists),
            volumes.Select(volume => Volumes.Use(volume, TemplateMaker.User(job.TemplateId))),
            cancellationToken).ConfigureAwait(false);
        return published
            ? job
            : throw new ProblemException(
                ProblemKind.Conflict, $"the name {job.Spec.Name} was given to another template in the meantime",
                "import it again");
    }

    private async Task PublishMachineAsync(ImageImportJob job, CancellationToken cancellationToken)
    {
        if (await OwnMachineAsync(job, cancellationToken).ConfigureAwait(false) is not null)
            return; // done by the run that was cut off
        await _node.Maker.CreateAsync(
            new MachinePlan
            {
                Spec = job.Spec,
                Disks = job.Disks.Select(disk => new DiskPlan
                {
                    Backing = disk.Volume.Id,
                    Attachment = new DiskSpec { Volume = default, Bus = disk.Bus },
                }).ToValueList(),
                Provenance = ProvenanceOf(job, null),
                Uuid = job.MachineUuid,
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What somebody uses by now stays: it is whole.</summary>
    private async ValueTask UnpublishAsync(ImageImportJob job, StepRun run, CancellationToken cancellationToken)
    {
        if (await OwnMachineAsync(job, cancellationToken).ConfigureAwait(false) is { } machine && !_node.Host.IsAlive(
            machine.Number))
            await _node.Remover.DeleteAsync(machine, stop: false, cancellationToken).ConfigureAwait(false);
        if (await _node.Templates.FindByIdAsync(job.TemplateId, cancellationToken)
            .ConfigureAwait(false) is not { Superseded: false } template)
            return;
        var removed = await _node.Templates.TryUnpublishAsync(
            template,
            job.Previous,
            job.Disks.Select(disk => Volumes.Unuse(disk.Volume.Id, TemplateMaker.User(template.Id))),
            cancellationToken).ConfigureAwait(false);
        if (!removed)
            return;
        foreach (var disk in job.Disks)
            await Volumes.CollectAsync(disk.Volume.Id, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<ImageImportJob> ReleaseAsync(
        ImageImportJob job, StepRun run, CancellationToken cancellationToken)
    {
        foreach (var disk in job.Disks)
            await Volumes.ReleaseAsync(disk.Volume.Id, User(job), cancellationToken).ConfigureAwait(false);
        if (job.Previous is not null)
            await _node.TemplateMaker.CollectAsync(cancellationToken).ConfigureAwait(false);
        return job;
    }

    private async Task<MachineRecord?> OwnMachineAsync(ImageImportJob job, CancellationToken cancellationToken) =>
        job.MachineUuid is { } uuid
        && await _node.Machines.FindAsync(job.Spec.Name, cancellationToken).ConfigureAwait(false) is { } machine
        && machine.Uuid == uuid ? machine : null;

    private static string User(ImageImportJob job) => $"import-{job.TemplateId}";
}
