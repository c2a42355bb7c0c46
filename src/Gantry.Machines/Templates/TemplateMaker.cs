using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gantry.Machines.Catalog;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Model.State;
using Gantry.Model.Volumes;
using Gantry.Steps.Jobs;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Templates;

/// <summary>
/// Freezes a stopped machine as a template: one compacted file for each disk, over at most the parent template's.
/// The name moves to the new record in one transaction, at the very end; until then nothing of it can be seen.
/// </summary>
public sealed class TemplateMaker
{
    /// <summary>A template's own chain stays this short, so that clones have room for layers and snapshots.</summary>
    private const int LongestTemplateChain = 4;

    private readonly IStateStore _store;
    private readonly MachineCatalog _machines;
    private readonly TemplateCatalog _templates;
    private readonly VolumePool _volumes;
    private readonly QemuImg _images;
    private readonly JobRunner _jobs;
    private readonly TimeProvider _time;
    private readonly IEntropy _entropy;

    public TemplateMaker(
        IStateStore store,
        MachineCatalog machines,
        TemplateCatalog templates,
        VolumePool volumes,
        QemuImg images,
        JobRunner jobs,
        TimeProvider time,
        IEntropy entropy)
    {
        _store = store;
        _machines = machines;
        _templates = templates;
        _volumes = volumes;
        _images = images;
        _jobs = jobs;
        _time = time;
        _entropy = entropy;
        Kind = new JobKind<TemplatePublication>(
            "template",
            version: 1,
            () => TemplateJson.Default.TemplatePublication,
            CrashPolicy.Undo,
            [
                JobStep.Of<TemplatePublication>("volumes", RecordVolumesAsync, DropVolumesAsync),
                JobStep.Of<TemplatePublication>("copy", CopyAsync, (_, _, _) => ValueTask.CompletedTask),
                JobStep.Of<TemplatePublication>("publish", PublishAsync, (_, _, _) => ValueTask.CompletedTask),
                JobStep.Of<TemplatePublication>("replace", ReplaceAsync, (_, _, _) => ValueTask.CompletedTask),
            ],
            pointOfNoReturn: "publish");
    }

    /// <summary>For the registry of what can be repaired after a crash.</summary>
    public JobKind<TemplatePublication> Kind { get; }

    /// <summary>Makes the template; the machine stays as it is.</summary>
    public async Task<TemplateRecord> MakeAsync(
        TemplateRequest request, IProgressSink progress, CancellationToken cancellationToken)
    {
        Names.Check(request.Name, "template");
        var parent = await UsableParentAsync(request.Parent, cancellationToken).ConfigureAwait(false);
        var context = await PlanAsync(
            new TemplatePublication { Request = request, TemplateId = _entropy.NewHex(8), Parent = parent?.Id }, parent, cancellationToken)
            .ConfigureAwait(false);
        var done = await _jobs.RunUnwrappedAsync(Kind, context, progress, cancellationToken).ConfigureAwait(false);
        return done.Record!;
    }

    /// <summary>Deletes a template that nothing uses; what uses it is named otherwise.</summary>
    public async Task DeleteAsync(TemplateRecord template, CancellationToken cancellationToken)
    {
        var own = User(template.Id);
        var disks = DisksOf(template).ToList();
        if (await _templates.TryRemoveAsync(template, disks.Select(disk => _volumes.Unuse(disk, own)), cancellationToken).ConfigureAwait(false))
        {
            foreach (var disk in disks)
                await _volumes.CollectAsync(disk, cancellationToken).ConfigureAwait(false);
            return;
        }

        var users = await _templates.UsersAsync(template.Id, cancellationToken).ConfigureAwait(false);
        var names = new List<string>();
        foreach (var user in users)
            names.Add(await NameOfUserAsync(user, cancellationToken).ConfigureAwait(false));
        throw new ProblemException(
            ProblemKind.Conflict,
            names.Count == 0 ? $"template {template.Name} changed in the meantime" : $"template {template.Name} is used by {string.Join(", ", names)}",
            names.Count == 0 ? "try again" : "delete those first");
    }

    /// <summary>Removes records that lost their name and that nothing uses any more.</summary>
    public async Task CollectAsync(CancellationToken cancellationToken)
    {
        foreach (var template in await _templates.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (template.Superseded && (await _templates.UsersAsync(template.Id, cancellationToken).ConfigureAwait(false)).Length == 0)
                await TryDeleteAsync(template, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task TryDeleteAsync(TemplateRecord template, CancellationToken cancellationToken)
    {
        try
        {
            await DeleteAsync(template, cancellationToken).ConfigureAwait(false);
        }
        catch (ProblemException e) when (e.Problem.Kind == ProblemKind.Conflict)
        {
            // Somebody began to use it just now; it goes when they no longer do.
        }
    }

    /// <summary>A user of a template in words for a person: <c>machine web</c>.</summary>
    public async Task<string> NameOfUserAsync(string user, CancellationToken cancellationToken)
    {
        var dash = user.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0)
            return user;
        var (kind, id) = (user[..dash], user[(dash + 1)..]);
        return kind switch
        {
            "machine" => (await _machines.FindAsync(id, cancellationToken).ConfigureAwait(false)) is { } machine
                ? $"machine {machine.Spec.Name}" : $"machine {id}",
            "template" => (await _templates.FindByIdAsync(id, cancellationToken).ConfigureAwait(false)) is { } template
                ? $"template {template.Name}{(template.Superseded ? " (superseded)" : "")}" : $"template {id}",
            _ => user,
        };
    }

    private async Task<TemplateRecord?> UsableParentAsync(string? id, CancellationToken cancellationToken)
    {
        if (id is null || await _templates.FindByIdAsync(id, cancellationToken).ConfigureAwait(false) is not { } parent)
            return null;
        foreach (var disk in parent.Spec.Disks)
        {
            if ((await _volumes.ChainAsync(disk.Volume, cancellationToken).ConfigureAwait(false)).Length >= LongestTemplateChain)
                return null;
        }

        return parent;
    }

    private async Task<TemplatePublication> PlanAsync(
        TemplatePublication context, TemplateRecord? parent, CancellationToken cancellationToken)
    {
        var machine = await MachineAsync(context, cancellationToken).ConfigureAwait(false);
        var disks = new List<VolumeRecord>();
        for (var i = 0; i < machine.Spec.Disks.Count; i++)
        {
            var top = await _volumes.GetAsync(machine.Spec.Disks[i].Volume, cancellationToken).ConfigureAwait(false);
            VolumeId? beneath = parent is not null && i < parent.Spec.Disks.Count ? parent.Spec.Disks[i].Volume : null;
            disks.Add(_volumes.Plan($"disk {i} of template {context.Request.Name}", top.VirtualSize, beneath) with { Frozen = true });
        }

        VolumeRecord? variables = null;
        if (machine.Variables is { } id)
        {
            var top = await _volumes.GetAsync(id, cancellationToken).ConfigureAwait(false);
            variables = _volumes.Plan($"UEFI variables of template {context.Request.Name}", top.VirtualSize) with { Frozen = true };
        }

        var previous = await _templates.FindAsync(context.Request.Name, cancellationToken).ConfigureAwait(false);
        return context with { Disks = [.. disks], Variables = variables, Previous = previous?.Id };
    }

    private async ValueTask<TemplatePublication> RecordVolumesAsync(
        TemplatePublication context, StepRun run, CancellationToken cancellationToken)
    {
        var planned = Planned(context).ToList();
        var commit = await _store.CommitAsync(
            new StateTransaction
            {
                When = [.. planned.Where(volume => volume.Backing is not null).Select(volume => _volumes.Exists(volume.Backing!.Value))],
                Then = [.. planned.SelectMany(volume => _volumes.Adopt(volume, User(context.TemplateId)))],
            },
            cancellationToken).ConfigureAwait(false);
        return commit.Succeeded
            ? context
            : throw new ProblemException(
                ProblemKind.Conflict, "the template beneath was deleted in the meantime", "build it again");
    }

    private async ValueTask DropVolumesAsync(
        TemplatePublication context, StepRun run, CancellationToken cancellationToken)
    {
        // Killed between the transaction and the journal's line, it is published, and whole.
        if (await _templates.FindByIdAsync(context.TemplateId, cancellationToken).ConfigureAwait(false) is not null)
            return;
        foreach (var volume in Planned(context))
        {
            await _volumes.ReleaseAsync(volume.Id, User(context.TemplateId), cancellationToken).ConfigureAwait(false);
            File.Delete(_volumes.PathOf(volume) + ".part");
        }
    }

    private async ValueTask<TemplatePublication> CopyAsync(
        TemplatePublication context, StepRun run, CancellationToken cancellationToken)
    {
        var machine = await MachineAsync(context, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < context.Disks.Count; i++)
            await CopyOneAsync(
                machine.Spec.Disks[i].Volume, context.Disks[i], context.Request.Compress, run, cancellationToken)
                .ConfigureAwait(false);
        if (context.Variables is { } variables)
            await CopyOneAsync(machine.Variables!.Value, variables, compress: false, run, cancellationToken)
                .ConfigureAwait(false);
        return context with { Record = await RecordOfAsync(context, machine, cancellationToken).ConfigureAwait(false) };
    }

    private async Task CopyOneAsync(
        VolumeId source, VolumeRecord target, bool compress, StepRun run, CancellationToken cancellationToken)
    {
        var chain = await _volumes.ChainAsync(source, cancellationToken).ConfigureAwait(false);
        await VolumePool.AlignBackingNamesAsync(chain, _images, cancellationToken).ConfigureAwait(false);
        FileSpace.Require(_volumes.Folders.Volumes, chain.Sum(file => FileSpace.AllocatedBytes(file.Path)), "the template");
        void Report(double part) => run.Report(new StepReport
        {
            Text = $"Copying {target.Purpose}",
            Done = (long)(part * 1000),
            Total = 1000,
            Unit = "parts",
        });
        var backing = target.Backing is { } id
            ? _volumes.PathOf(await _volumes.GetAsync(id, cancellationToken).ConfigureAwait(false)) : null;
        if (backing is not null && chain.Length > 1 && chain[1].Path != backing)
        {
            // qemu-img convert -B takes only the top layer as different from the base, so the layers in between are
            // brought into the top first. The machine sees the same content before and after.
            await _images.RebaseAsync(chain[0].Path, Path.GetFileName(backing), Report, cancellationToken)
                .ConfigureAwait(false);
        }

        var path = _volumes.PathOf(target);
        File.Delete(path);
        await _images.ConvertAsync(
            chain[0].Path, DiskImageFormat.Qcow2, path, DiskImageFormat.Qcow2, Report, cancellationToken, compress, backing).ConfigureAwait(false);
        if (backing is not null)
            await _images.RenameBackingAsync(path, Path.GetFileName(backing), cancellationToken).ConfigureAwait(false);
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }

    private async Task<TemplateRecord> RecordOfAsync(
        TemplatePublication context, MachineRecord machine, CancellationToken cancellationToken)
    {
        var spec = TemplateSpec(machine.Spec, context);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(JsonSerializer.SerializeToUtf8Bytes(spec with { Disks = [] }, ModelJson.Default.MachineSpec));
        if (context.Parent is { } parent)
            digest.AppendData(Encoding.ASCII.GetBytes((await _templates.FindByIdAsync(parent, cancellationToken).ConfigureAwait(false))?.Digest ?? ""));
        foreach (var volume in Planned(context))
        {
            await using var file = File.OpenRead(_volumes.PathOf(volume));
            digest.AppendData(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false));
        }

        var hex = Convert.ToHexStringLower(digest.GetHashAndReset());
        return new TemplateRecord
        {
            Id = context.TemplateId,
            Name = context.Request.Name,
            Created = _time.GetUtcNow(),
            Digest = hex,
            Spec = spec,
            Variables = context.Variables?.Id,
            Parent = context.Parent,
            Provenance = new Provenance
            {
                Chain = context.Request.Provenance.Chain.With(new ProvenanceLink { Kind = "template", Name = context.Request.Name, Digest = hex }),
            },
            Sealed = context.Request.Sealed,
            LoginUser = context.Request.LoginUser,
        };
    }

    /// <summary>The machine's hardware without what belonged to that one machine.</summary>
    private static MachineSpec TemplateSpec(MachineSpec spec, TemplatePublication context) => spec with
    {
        Name = context.Request.Name,
        Disks = spec.Disks.Select((disk, i) => disk with { Volume = context.Disks[i].Id }).ToValueList(),
        NetworkCards = spec.NetworkCards.Select(card => card with { Mac = "", Published = [] }).ToValueList(),
        Cdroms = [],
        Floppy = null,
        Kernel = null,
        Boot = BootDevice.Disk,
        CloudInit = null,
        SharedFolders = [],
        QemuSwitches = [],
        Protected = false,
    };

    private async ValueTask<TemplatePublication> PublishAsync(
        TemplatePublication context, StepRun run, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 8; attempt++)
        {
            var name = await _templates.FindAsync(context.Request.Name, cancellationToken).ConfigureAwait(false);
            if (name?.Id == context.TemplateId)
                return context; // done by the run that was cut off
            if (await _templates.TryPublishAsync(
                context.Record!, name, Planned(context).Select(volume => _volumes.Exists(volume.Id)), [], cancellationToken).ConfigureAwait(false))
            {
                return context with { Previous = name?.Id };
            }
        }

        throw new ProblemException(
            ProblemKind.Conflict, $"template {context.Request.Name} could not be published: its parent or its name changed in the meantime", "build it again");
    }

    private async ValueTask<TemplatePublication> ReplaceAsync(
        TemplatePublication context, StepRun run, CancellationToken cancellationToken)
    {
        await CollectAsync(cancellationToken).ConfigureAwait(false);
        return context;
    }

    private async Task<MachineRecord> MachineAsync(TemplatePublication context, CancellationToken cancellationToken) =>
        await _machines.FindAsync(context.Request.Machine, cancellationToken).ConfigureAwait(false)
        ?? throw new ProblemException(ProblemKind.NotFound, $"machine {context.Request.Machine} is gone");

    private static IEnumerable<VolumeRecord> Planned(TemplatePublication context) =>
        context.Variables is null ? context.Disks : context.Disks.Append(context.Variables);

    private static IEnumerable<VolumeId> DisksOf(TemplateRecord template)
    {
        var disks = template.Spec.Disks.Select(disk => disk.Volume);
        return template.Variables is { } variables ? disks.Append(variables) : disks;
    }

    /// <summary>How a template is named as the user of its volumes.</summary>
    internal static string User(string templateId) => $"template-{templateId}";
}
