using System.Globalization;
using Gantry.Machines.Catalog;
using Gantry.Machines.Run;
using Gantry.Machines.Snapshots;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;
using Gantry.Steps.Jobs;
using Gantry.Storage.Appliances;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Images;

/// <summary>
/// Writes disks of templates and of stopped machines to files. The file appears under its name when it is whole;
/// until then it is in a folder beside it, which a recovery takes away.
/// </summary>
public sealed class ImageExporter
{
    private readonly MachineCatalog _machines;
    private readonly TemplateCatalog _templates;
    private readonly VolumePool _volumes;
    private readonly QemuImg _images;
    private readonly MachineHost _host;
    private readonly DiskFreezer _freezer;
    private readonly MachineTurns _turns;
    private readonly JobRunner _jobs;
    private readonly TimeProvider _time;
    private readonly IEntropy _entropy;

    public ImageExporter(
        MachineCatalog machines,
        TemplateCatalog templates,
        VolumePool volumes,
        QemuImg images,
        MachineHost host,
        DiskFreezer freezer,
        MachineTurns turns,
        JobRunner jobs,
        TimeProvider time,
        IEntropy entropy)
    {
        _machines = machines;
        _templates = templates;
        _volumes = volumes;
        _images = images;
        _host = host;
        _freezer = freezer;
        _turns = turns;
        _jobs = jobs;
        _time = time;
        _entropy = entropy;
        Kind = new JobKind<ImageExportJob>(
            "image-export",
            version: 1,
            () => ImageExportJson.Default.ImageExportJob,
            CrashPolicy.Undo,
            [
                JobStep.Of<ImageExportJob>("hold", HoldAsync, ReleaseAsync),
                JobStep.Of<ImageExportJob>("write", WriteAsync, DropAsync),
                JobStep.Of<ImageExportJob>("publish", PublishAsync, (_, _, _) => ValueTask.CompletedTask),
                JobStep.Of<ImageExportJob>("release", FinishAsync, (_, _, _) => ValueTask.CompletedTask),
            ],
            pointOfNoReturn: "publish");
    }

    /// <summary>For the registry of what can be repaired after a crash.</summary>
    public JobKind<ImageExportJob> Kind { get; }

    /// <exception cref="ProblemException">There is no such template or machine, it runs, the file is there already, or
    /// there is no room; nothing is left.</exception>
    public async Task<ExportResult> ExportAsync(
        ExportRequest request, IProgressSink progress, CancellationToken cancellationToken)
    {
        CheckOutput(request);
        if (await _templates.FindAsync(request.Source, cancellationToken).ConfigureAwait(false) is { } template)
            return await RunAsync(request, template.Spec, progress, cancellationToken).ConfigureAwait(false);
        var machine = await _machines.FindAsync(request.Source, cancellationToken).ConfigureAwait(false)
            ?? throw new ProblemException(
                ProblemKind.NotFound, $"there is no template and no machine '{request.Source}'",
                "gantry image list shows templates, gantry list machines");
        // Held to the end, so that nobody starts it while its disks are read.
        return await _turns.RunAsync(
            machine.Number,
            async () =>
            {
                machine = await StoppedAsync(machine, cancellationToken).ConfigureAwait(false);
                return await RunAsync(request, machine.Spec, progress, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    internal ImageExportJob Plan(ExportRequest request, MachineSpec spec)
    {
        ValueList<DiskSpec> disks = spec.Disks;
        if (disks.Count == 0)
            throw new ProblemException(ProblemKind.InvalidInput, $"{request.Source} has no disk to export");
        if (request.Format is null)
        {
            OvfWriter.CheckIsa(spec.Isa);
        }
        else
        {
            if (request.Disk is null && disks.Count > 1)
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput,
                    $"{request.Source} has {disks.Count} disks, and a file of that format holds one",
                    $"choose one: --disk 0 to {disks.Count - 1}; or take all of them: --format ova");
            }

            var index = request.Disk ?? 0;
            disks = index < disks.Count && index >= 0
                ? [disks[index]]
                : throw new ProblemException(
                    ProblemKind.InvalidInput, $"{request.Source} has no disk {index}",
                    $"choose one: --disk 0 to {disks.Count - 1}");
        }

        return new ImageExportJob
        {
            Id = _entropy.NewHex(8),
            Spec = spec with { Disks = disks },
            Tops = disks.Select(disk => disk.Volume).ToValueList(),
            Output = request.Output,
            Format = request.Format,
            Replace = request.Replace,
            Compress = request.Compress,
        };
    }

    private async Task<ExportResult> RunAsync(
        ExportRequest request, MachineSpec spec, IProgressSink progress, CancellationToken cancellationToken)
    {
        var job = Plan(request, spec);
        var bytes = 0L;
        foreach (var top in job.Tops)
        {
            bytes += (await _volumes.ChainAsync(top, cancellationToken).ConfigureAwait(false))
                .Sum(file => FileSpace.AllocatedBytes(file.Path));
        }

        // The disks of an OVA are written first and then packed.
        FileSpace.Require(Path.GetDirectoryName(job.Output)!, job.Format is null ? 2 * bytes : bytes, "the export");
        await _jobs.RunUnwrappedAsync(Kind, job, progress, cancellationToken).ConfigureAwait(false);
        return new ExportResult
        {
            File = job.Output,
            Bytes = new FileInfo(job.Output).Length,
            Format = job.Format?.QemuName() ?? "ova",
            Remarks = job.Format is null ? RemarksOn(job.Spec) : [],
        };
    }

    /// <summary>What becomes of things that the other side lacks.</summary>
    private static ValueList<string> RemarksOn(MachineSpec spec)
    {
        var remarks = new List<string>();
        if (spec.Disks.Any(disk => disk.Bus is DiskBus.Default or DiskBus.Virtio or DiskBus.Nvme))
            remarks.Add("disks are on an LSI Logic SCSI controller there: VirtualBox and VMware have no virtio disks");
        if (spec.NetworkCards.Any(
            card => card.Device is null || card.Device.StartsWith("virtio", StringComparison.Ordinal)))
            remarks.Add("network cards are of the kind E1000 there");
        if (spec.Firmware.Kind == FirmwareKind.Uefi)
            remarks.Add(
                "UEFI variables are not in an OVA; in VirtualBox switch EFI on yourself: VBoxManage modifyvm NAME "
                    + "--firmware efi");
        if (spec.Tpm is not null)
            remarks.Add("the TPM, and what it holds, is not in an OVA");
        return [.. remarks];
    }

    private static void CheckOutput(ExportRequest request)
    {
        var folder = Path.GetDirectoryName(request.Output);
        if (folder is null || !Directory.Exists(folder))
        {
            throw new ProblemException(
                ProblemKind.NotFound, $"there is no folder {folder ?? request.Output} to write to",
                "make it first, or give another path");
        }

        if (Directory.Exists(request.Output))
            throw new ProblemException(
                ProblemKind.InvalidInput, $"{request.Output} is a folder", "give the name of a file");
        if (File.Exists(request.Output) && !request.Replace)
            throw new ProblemException(ProblemKind.Conflict, $"{request.Output} is there already",
                "give --force to replace it, or another name");
    }

    private async Task<MachineRecord> StoppedAsync(MachineRecord machine, CancellationToken cancellationToken)
    {
        machine = await _machines.GetAsync(machine.Number.ToString(), cancellationToken).ConfigureAwait(false);
        if (_host.IsAlive(machine.Number))
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{machine.Spec.Name} is running, and its disks change while it does",
                $"shut it down first (gantry shutdown {machine.Spec.Name}), or export a clone of it");
        }

        return await _freezer.RepairAsync(machine, guest: null, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<ImageExportJob> HoldAsync(
        ImageExportJob job, StepRun run, CancellationToken cancellationToken)
    {
        await _volumes.UseAllAsync(job.Tops, User(job), cancellationToken).ConfigureAwait(false);
        return job;
    }

    private async ValueTask ReleaseAsync(ImageExportJob job, StepRun run, CancellationToken cancellationToken)
    {
        foreach (var top in job.Tops)
            await _volumes.ReleaseAsync(top, User(job), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<ImageExportJob> WriteAsync(
        ImageExportJob job, StepRun run, CancellationToken cancellationToken)
    {
        Drop(job);
        try
        {
            Directory.CreateDirectory(
                job.Scratch, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"nothing can be written beside {job.Output}: {e.Message}",
                "give another path", inner: e);
        }

        if (job.Format is { } format)
        {
            var compress = job.Compress && format == DiskImageFormat.Qcow2;
            var target = new DiskImageTarget { Format = format, Compress = compress };
            await ConvertAsync(job, 0, job.Finished, target, run, cancellationToken).ConfigureAwait(false);
            using var handle = File.OpenHandle(job.Finished, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(handle);
            return job;
        }

        var disks = new List<OvfDiskFile>();
        for (var i = 0; i < job.Tops.Count; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{job.Spec.Name}-disk{i + 1}.vmdk");
            var path = Path.Combine(job.Scratch, name);
            var adapter = job.Spec.Disks[i].Bus is DiskBus.Ide or DiskBus.Sata ? "ide" : "lsilogic";
            var capacity = await ConvertAsync(
                job,
                i,
                path,
                new DiskImageTarget
                {
                    Format = DiskImageFormat.Vmdk,
                    Options = $"subformat=streamOptimized,adapter_type={adapter}",
                },
                run,
                cancellationToken).ConfigureAwait(false);
            disks.Add(new OvfDiskFile(name, new FileInfo(path).Length, capacity, job.Spec.Disks[i].Bus));
        }

        var total = disks.Sum(disk => disk.FileBytes);
        await OvaWriter.WriteAsync(
            job.Finished,
            job.Spec,
            disks,
            job.Scratch,
            _time.GetUtcNow(),
            done => run.Report(new StepReport
            {
                Text = $"Packing {Path.GetFileName(job.Output)}",
                Done = Math.Min(done, total),
                Total = total,
                Unit = "bytes",
            }),
            cancellationToken).ConfigureAwait(false);
        return job;
    }

    /// <summary>Writes one disk, with all that lies beneath it; gives what the guest sees of it, in bytes.</summary>
    private async Task<long> ConvertAsync(
        ImageExportJob job, int index, string path, DiskImageTarget target, StepRun run,
        CancellationToken cancellationToken)
    {
        var chain = await _volumes.ChainAsync(job.Tops[index], cancellationToken).ConfigureAwait(false);
        await VolumePool.AlignBackingNamesAsync(chain, _images, cancellationToken).ConfigureAwait(false);
        var source = new DiskImageSource
        {
            Path = chain[0].Path,
            Format = chain[0].Format == VolumeFormat.Raw ? DiskImageFormat.Raw : DiskImageFormat.Qcow2,
        };
        var size = await _images.VirtualSizeAsync(source, cancellationToken).ConfigureAwait(false);
        await _images.ConvertAsync(
            source,
            path,
            target,
            part => run.Report(new StepReport
            {
                Text = $"Writing disk {index} of {job.Spec.Name}",
                Done = (long)(part * size),
                Total = size,
                Unit = "bytes",
            }),
            cancellationToken).ConfigureAwait(false);
        return size;
    }

    private static ValueTask DropAsync(ImageExportJob job, StepRun run, CancellationToken cancellationToken)
    {
        Drop(job);
        return ValueTask.CompletedTask;
    }

    private static void Drop(ImageExportJob job)
    {
        if (Directory.Exists(job.Scratch))
            Directory.Delete(job.Scratch, recursive: true);
    }

    private static ValueTask<ImageExportJob> PublishAsync(
        ImageExportJob job, StepRun run, CancellationToken cancellationToken)
    {
        // Already moved by a run that was cut off.
        if (!File.Exists(job.Finished))
            return ValueTask.FromResult(job);
        try
        {
            File.Move(job.Finished, job.Output, overwrite: job.Replace);
        }
        catch (IOException e) when (File.Exists(job.Output) && !job.Replace)
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{job.Output} was made by somebody else in the meantime",
                "give --force to replace it", inner: e);
        }

        return ValueTask.FromResult(job);
    }

    private async ValueTask<ImageExportJob> FinishAsync(
        ImageExportJob job, StepRun run, CancellationToken cancellationToken)
    {
        Drop(job);
        await ReleaseAsync(job, run, cancellationToken).ConfigureAwait(false);
        return job;
    }

    private static string User(ImageExportJob job) => $"export-{job.Id}";
}
