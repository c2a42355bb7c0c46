using Gantry.Machines.Catalog;
using Gantry.Machines.Run;
using Gantry.Machines.Snapshots;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Create;

/// <summary>
/// What a user says of a machine that is to be made from something that is there; null keeps what that has.
/// </summary>
public sealed record MachineWishes
{
    public required string Name { get; init; }

    public int? Cpus { get; init; }

    public int? MemoryMiB { get; init; }

    /// <summary>Bytes of the first disk; not less than it has.</summary>
    public long? DiskSize { get; init; }

    public ValueList<PublishedPort> Publish { get; init; } = [];

    public CloudInit? CloudInit { get; init; }

    public ValueList<SharedFolder> SharedFolders { get; init; } = [];

    public bool Protected { get; init; }

    public string Notes { get; init; } = "";

    public ValueList<string> Tags { get; init; } = [];
}

/// <summary>A machine that starts a kernel; null leaves the choice to the ISA.</summary>
public sealed record KernelMachine
{
    public required Isa Isa { get; init; }

    public required DirectBoot Boot { get; init; }

    public string? MachineType { get; init; }

    /// <summary>QEMU's name.</summary>
    public string? CpuModel { get; init; }
}

/// <summary>Makes machines from templates, from other machines and from kernels.</summary>
public sealed class MachineLauncher(
    MachineCatalog machines, MachineMaker maker, MachineHost host, DiskFreezer freezer, VolumePool volumes, IEntropy entropy)
{
    /// <summary>The guest's SSH server is always published on a free port of loopback, for <c>gantry ssh</c>.</summary>
    private static readonly PublishedPort Ssh = new() { HostPort = 0, GuestPort = 22 };

    /// <summary>A linked clone: its disks are empty layers over the template's.</summary>
    public Task<MachineRecord> FromTemplateAsync(
        TemplateRecord template, MachineWishes wishes, CancellationToken cancellationToken) =>
        maker.CreateAsync(
            new MachinePlan
            {
                Spec = Shape(template.Spec, wishes),
                Disks = Disks(template.Spec, wishes),
                Variables = template.Variables,
                Template = template.Id,
                Provenance = template.Provenance,
            },
            cancellationToken);

    /// <summary>A machine without a template, which starts a kernel given to QEMU. It has a disk where one is wished for.</summary>
    public Task<MachineRecord> FromKernelAsync(KernelMachine what, MachineWishes wishes, CancellationToken cancellationToken)
    {
        var spec = new MachineSpec
        {
            Name = wishes.Name,
            Isa = what.Isa,
            MachineType = what.MachineType,
            CpuModel = what.CpuModel,
        };
        return maker.CreateAsync(
            new MachinePlan
            {
                Spec = Shape(spec, wishes) with { Kernel = what.Boot },
                Disks = wishes.DiskSize is { } size ? [new DiskPlan { Size = size }] : [],
            },
            cancellationToken);
    }

    /// <summary>
    /// A clone of a machine as its disks are now; a running one is frozen for an instant, as a crash would leave it.
    /// It gets an identity of its own.
    /// </summary>
    public async Task<MachineRecord> FromMachineAsync(
        MachineRecord source, MachineWishes wishes, CancellationToken cancellationToken)
    {
        Names.Check(wishes.Name, "machine");
        using var held = await host.LockAsync(source.Number, TimeSpan.FromSeconds(30), cancellationToken)
            .ConfigureAwait(false);
        source = await machines.GetAsync(source.Number.ToString(), cancellationToken).ConfigureAwait(false);
        // The clone's own user is not known yet, so the frozen disks are held under a name of this one operation.
        var user = $"clone-{entropy.NewHex(8)}";
        var guest = await host.FindAsync(source, cancellationToken).ConfigureAwait(false);
        await using var disconnect = guest;
        var (frozen, _) = await freezer.FreezeAsync(source, guest, user, memoryFile: null, cancellationToken)
            .ConfigureAwait(false);
        try
        {
            var spec = source.Spec with
            {
                Disks = source.Spec.Disks.Select((disk, i) => disk with { Volume = frozen.Disks[i] }).ToValueList(),
            };
            return await maker.CreateAsync(
                new MachinePlan
                {
                    Spec = Shape(spec, wishes),
                    Disks = Disks(spec, wishes),
                    Variables = frozen.Variables,
                    Template = source.Template,
                    Provenance = source.Provenance,
                },
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            foreach (var volume in frozen.Disks)
                await volumes.ReleaseAsync(volume, user, CancellationToken.None).ConfigureAwait(false);
            if (frozen.Variables is { } variables)
                await volumes.ReleaseAsync(variables, user, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static ValueList<DiskPlan> Disks(MachineSpec spec, MachineWishes wishes) =>
        spec.Disks.Select((disk, i) => new DiskPlan
        {
            Backing = disk.Volume,
            Size = i == 0 ? wishes.DiskSize : null,
            Attachment = disk,
        }).ToValueList();

    private static MachineSpec Shape(MachineSpec spec, MachineWishes wishes)
    {
        var cards = spec.NetworkCards.Count > 0 ? spec.NetworkCards : [new NetworkCardSpec { Mac = "" }];
        var published = wishes.Publish.Any(port => port.GuestPort == 22 && !port.Udp)
            ? wishes.Publish : wishes.Publish.With(Ssh);
        return spec with
        {
            Name = wishes.Name,
            Disks = [],
            Cpu = wishes.Cpus is { } cpus ? new CpuTopology { Count = cpus } : spec.Cpu,
            MemoryMiB = wishes.MemoryMiB ?? spec.MemoryMiB,
            NetworkCards = cards
                .Select((card, i) => card with { Mac = "", Published = i == 0 ? published : [] }).ToValueList(),
            Cdroms = [new CdromSpec { Seed = true }],
            CloudInit = wishes.CloudInit ?? spec.CloudInit,
            SharedFolders = wishes.SharedFolders,
            Protected = wishes.Protected,
            Notes = wishes.Notes,
            Tags = wishes.Tags,
            Boot = BootDevice.Disk,
            Kernel = null,
            Floppy = null,
        };
    }
}
