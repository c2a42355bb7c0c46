using Gantry.Engines.Qemu;
using Gantry.Imaging.Answers;
using Gantry.Imaging.BootCommand;
using Gantry.Imaging.Cache;
using Gantry.Imaging.Definitions;
using Gantry.Machines.Create;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;
using Gantry.Storage.Media;

namespace Gantry.Imaging.Builds;

/// <summary>
/// Gets a build's inputs onto this host, decides its machine, and computes the keys of its layers. Nothing is started.
/// </summary>
public sealed class BuildPreparer(BuildServices services, IMachineHardware hardware, QemuHost host)
{
    /// <summary>See <see cref="BuildMachine"/>: a kernel is started once.</summary>
    internal static readonly QemuSwitch EndAtReset = new() { Name = "-no-reboot" };

    /// <summary>Written in place of what is random or local, so that it does not count.</summary>
    private static readonly Guid NoUuid = Guid.Empty;

    /// <param name="definition">The build.</param>
    /// <param name="folder">A folder of this build's own, for files made on the way.</param>
    /// <param name="log">Shown while downloads run.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task<PreparedBuild> PrepareAsync(
        BuildDefinition definition, string folder, BuildLog log, CancellationToken cancellationToken)
    {
        var source = definition.Source;
        CheckBootCommand(source);
        var found = await ResolveBaseAsync(source, folder, log, cancellationToken).ConfigureAwait(false);
        var spec = hardware.Resolve(SpecOf(source, found));
        var answers = await AnswersAsync(source, folder, log, cancellationToken).ConfigureAwait(false);
        spec = spec with
        {
            Cdroms = answers.Cd is { } cd ? spec.Cdroms.With(new CdromSpec { File = cd, Bus = source.CdromBus }) : spec.Cdroms,
            Floppy = answers.Floppy,
        };
        spec = hardware.Resolve(spec);
        var plan = new MachinePlan
        {
            Spec = spec,
            Disks = found.Disks,
            Variables = found.Template?.Variables,
            Role = MachineRole.Build,
            Template = found.Template?.Id,
            Provenance = found.Provenance,
        };
        var accelerator = await hardware.ChooseAsync(spec, source.Accelerator, cancellationToken).ConfigureAwait(false);
        var keyed = definition.With(FrozenValues.Canonical);
        var machine = InputsOf(keyed.Source, found, plan, accelerator.Accelerator, Canonical(answers.Digests, source.Answers, keyed.Source.Answers));
        return new PreparedBuild
        {
            Definition = definition,
            Plan = plan,
            Provenance = found.Provenance,
            Template = found.Template,
            Keys = await LayerKeys.ComputeAsync(machine, keyed, services.Entropy, cancellationToken).ConfigureAwait(false),
            IsoPath = found.IsoPath,
            Folder = folder,
        };
    }

    private sealed record ResolvedBase(
        ValueList<NamedDigest> Digests, Provenance Provenance, ValueList<DiskPlan> Disks)
    {
        public string? IsoPath { get; init; }

        public TemplateRecord? Template { get; init; }

        public DirectBoot? Kernel { get; init; }
    }

    private sealed record PreparedAnswers(ValueList<FileDigest> Digests, string? Cd, string? Floppy);

    /// <summary>A boot command's mistakes are the template's, so they are found before anything is done.</summary>
    public static void CheckBootCommand(QemuSource source)
    {
        var fields = new Dictionary<string, string>
        {
            ["HTTPIP"] = BuildRandoms.HostSeenByGuest,
            ["HTTPPort"] = "8000",
            ["Name"] = source.Output.MachineName,
            ["SSHPublicKey"] = "ssh-ed25519 AAAA",
        };
        var script = BootCommandScript.Parse(
            [.. source.Boot.Command], new TemplateScope { Fields = fields }, OptionsOf(source));
        var errors = script.Diagnostics.Where(one => one.IsError).ToList();
        if (source.Base is BaseDefinition.Kernel kernel)
            KernelCommandLine.Render(kernel.CommandLine, fields);
        if (errors.Count > 0)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"the boot command of {source.Name} has errors", detail: string.Join('\n', errors));
        }
    }

    /// <summary>How the boot command is to be read.</summary>
    internal static BootCommandOptions OptionsOf(QemuSource source) =>
        new()
        {
            Layout = Engines.Keyboard.KeyboardLayout.Find(source.KeyboardLayout) ?? throw new ProblemException(
            ProblemKind.InvalidInput, $"there is no keyboard layout '{source.KeyboardLayout}'",
            $"use one of {string.Join(", ", Engines.Keyboard.KeyboardLayout.All.Select(layout => layout.Name))}"),
        };

    private async Task<ResolvedBase> ResolveBaseAsync(
        QemuSource source, string folder, BuildLog log, CancellationToken cancellationToken)
    {
        switch (source.Base)
        {
            case BaseDefinition.Iso iso:
                return await FromIsoAsync(source, iso, log, cancellationToken).ConfigureAwait(false);
            case BaseDefinition.DiskImage image:
                var fetched = await services.Fetcher.FetchAsync(image.Urls, image.Checksum, log.Sink, cancellationToken)
                    .ConfigureAwait(false);
                var record = await services.Images.ImportAsync(fetched.Path, fetched.Sha256, null, log.Sink, cancellationToken).ConfigureAwait(false);
                return new ResolvedBase(
                    [new NamedDigest("disk", fetched.Sha256)],
                    Chain("image", Path.GetFileName(fetched.Path), fetched.Sha256),
                    DisksOver([record.Volume], source));
            case BaseDefinition.Template name:
                var template = await services.Templates.GetAsync(name.Name, cancellationToken).ConfigureAwait(false);
                return new ResolvedBase(
                    [new NamedDigest("template", template.Digest)],
                    template.Provenance,
                    DisksOver(template.Spec.Disks.Select(disk => disk.Volume), source))
                { Template = template };
            case BaseDefinition.Kernel kernel:
                return await FromKernelAsync(source, kernel, folder, log, cancellationToken).ConfigureAwait(false);
            default:
                throw new InvalidOperationException($"unknown base {source.Base.GetType().Name}");
        }
    }

    private async Task<ResolvedBase> FromIsoAsync(
        QemuSource source, BaseDefinition.Iso iso, BuildLog log, CancellationToken cancellationToken)
    {
        var fetched = await services.Fetcher.FetchAsync(iso.Urls, iso.Checksum, log.Sink, cancellationToken)
            .ConfigureAwait(false);
        return new ResolvedBase(
            [new NamedDigest("iso", fetched.Sha256)],
            Chain("iso", Path.GetFileName(fetched.Path), fetched.Sha256),
            EmptyDisks(source))
        { IsoPath = fetched.Path };
    }

    private async Task<ResolvedBase> FromKernelAsync(
        QemuSource source, BaseDefinition.Kernel kernel, string folder, BuildLog log, CancellationToken cancellationToken)
    {
        var withIso = kernel.Cdrom is { } iso
            ? await FromIsoAsync(source, iso, log, cancellationToken).ConfigureAwait(false)
            : new ResolvedBase([], new Provenance(), EmptyDisks(source));
        var path = await TakeAsync(kernel.KernelPath, "kernel").ConfigureAwait(false);
        var initrd = kernel.InitrdPath is { } initrdPath ? await TakeAsync(initrdPath, "initrd").ConfigureAwait(false) : null;
        List<NamedDigest> digests =
        [
            .. withIso.Digests,
            new NamedDigest("kernel", await FileDigests.OfFileAsync(path, cancellationToken).ConfigureAwait(false)),
        ];
        if (initrd is not null)
            digests.Add(new NamedDigest("initrd", await FileDigests.OfFileAsync(initrd, cancellationToken).ConfigureAwait(false)));
        var provenance = withIso.Provenance with
        {
            Chain = withIso.Provenance.Chain.With(new ProvenanceLink
            {
                Kind = "kernel",
                Name = Path.GetFileName(kernel.KernelPath),
                Digest = FileDigests.Combined(digests),
            }),
        };
        return withIso with
        {
            Digests = [.. digests],
            Provenance = provenance,
            Kernel = new DirectBoot { Kernel = path, Initrd = initrd, CommandLine = kernel.CommandLine },
        };

        async Task<string> TakeAsync(string given, string name)
        {
            if (!given.StartsWith("iso:", StringComparison.Ordinal))
                return File.Exists(given) ? given : throw new ProblemException(ProblemKind.NotFound, $"there is no {name} {given}");
            var isoPath = withIso.IsoPath ?? throw new ProblemException(
                ProblemKind.InvalidInput, $"{given} lies in an ISO, and the source names none", "give iso_url and iso_checksum as well");
            var target = Path.Combine(folder, name);
            await IsoFiles.ExtractAsync(isoPath, given["iso:".Length..], target, cancellationToken)
                .ConfigureAwait(false);
            return target;
        }
    }

    private static Provenance Chain(string kind, string name, string digest) =>
        new() { Chain = [new ProvenanceLink { Kind = kind, Name = name, Digest = digest }] };

    private static ValueList<DiskPlan> EmptyDisks(QemuSource source) =>
        source.DiskSizes.Select(size => new DiskPlan { Size = size, Attachment = AttachmentOf(source) }).ToValueList();

    private static ValueList<DiskPlan> DisksOver(IEnumerable<VolumeId> volumes, QemuSource source)
    {
        var over = volumes.Select((volume, i) => new DiskPlan
        {
            Backing = volume,
            Size = i == 0 && source.DiskSizes[0] > 0 ? source.DiskSizes[0] : null,
            Attachment = AttachmentOf(source),
        });
        var more = source.DiskSizes.Skip(1).Select(size => new DiskPlan { Size = size, Attachment = AttachmentOf(source) });
        return [.. over, .. more];
    }

    private static DiskSpec AttachmentOf(QemuSource source) => new()
    {
        Volume = default,
        Bus = source.DiskBus,
        Cache = source.DiskCache,
        Discard = source.DiskDiscard,
        DetectZeroes = source.DetectZeroes,
    };

    private static MachineSpec SpecOf(QemuSource source, ResolvedBase found)
    {
        var template = found.Template?.Spec;
        return new MachineSpec
        {
            Name = "build",
            Isa = template?.Isa ?? source.Isa,
            MachineType = source.MachineType ?? template?.MachineType,
            CpuModel = source.CpuModel ?? template?.CpuModel,
            Cpu = source.Cpu,
            MemoryMiB = source.MemoryMiB,
            Firmware = source.Firmware.Kind == FirmwareKind.Default && template is not null ? template.Firmware : source.Firmware,
            Tpm = source.Tpm ?? template?.Tpm,
            Cdroms = found.IsoPath is { } iso ? [new CdromSpec { File = iso, Bus = source.CdromBus }]
                : NeedsSeed(source, found) ? [new CdromSpec { Seed = true }] : [],
            NetworkCards = [new NetworkCardSpec { Mac = "", Device = source.NetDevice, Bridge = source.NetBridge }],
            Kernel = found.Kernel,
            Boot = found.Kernel is null && found.IsoPath is not null ? BootDevice.CdromOnce : BootDevice.Disk,
            GraphicsAdapter = source.GraphicsAdapter,
            KeyboardLayout = source.KeyboardLayout,
            QemuSwitches = found.Kernel is null ? source.QemuSwitches : source.QemuSwitches.With(EndAtReset),
        };
    }

    /// <summary>
    /// A finished system lets the build in by the key on a NoCloud seed, unless the template gives its own way in.
    /// </summary>
    private static bool NeedsSeed(QemuSource source, ResolvedBase found) =>
        found.Kernel is null && BuildRandoms.NeedsKey(source.Communicator) && !source.Answers.HasCd;

    private async Task<PreparedAnswers> AnswersAsync(
        QemuSource source, string folder, BuildLog log, CancellationToken cancellationToken)
    {
        var answers = source.Answers;
        var digests = new List<FileDigest>();
        if (answers.HttpDirectory is { } http)
            digests.AddRange(await FileDigests.OfTreeAsync(http, cancellationToken).ConfigureAwait(false));
        digests.AddRange(answers.HttpContent.Select(FileDigests.OfContent));
        string? cd = null;
        string? floppy = null;
        if (answers.HasCd)
        {
            log.Activity("Writing the CD of answers");
            cd = Path.Combine(folder, "answers.iso");
            digests.AddRange(await AnswerMedia.WriteCdAsync(answers, cd, cancellationToken).ConfigureAwait(false));
        }

        if (answers.HasFloppy)
        {
            log.Activity("Writing the floppy of answers");
            floppy = Path.Combine(folder, "answers.img");
            digests.AddRange(await AnswerMedia.WriteFloppyAsync(answers, floppy, cancellationToken).ConfigureAwait(false));
        }

        return new PreparedAnswers([.. digests], cd, floppy);
    }

    /// <summary>
    /// The digests of answer files as they are in every run, also where they hold the time or a random value.
    /// </summary>
    private static ValueList<FileDigest> Canonical(ValueList<FileDigest> digests, AnswerOptions now, AnswerOptions always)
    {
        var same = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (own, other) in Contents(now).Zip(Contents(always)))
            same[FileDigests.OfText(own.Content)] = FileDigests.OfText(other.Content);
        return digests.Select(digest => same.TryGetValue(digest.Sha256, out var canonical) ? digest with { Sha256 = canonical } : digest)
            .ToValueList();

        static IEnumerable<ContentFile> Contents(AnswerOptions answers) =>
            answers.HttpContent.Concat(answers.CdContent).Concat(answers.FloppyContent);
    }

    private MachineInputs InputsOf(
        QemuSource source, ResolvedBase found, MachinePlan plan, Accelerator accelerator, ValueList<FileDigest> answers)
    {
        var binary = hardware.Binary(plan.Spec.Isa);
        var firmware = hardware.Firmware(plan.Spec);
        var launch = PlaceholderLaunch(plan, accelerator, firmware);
        List<NamedDigest> programs = [new NamedDigest("qemu", host.Digest(binary))];
        if (firmware is not null)
        {
            programs.Add(new NamedDigest("firmware", host.Digest(firmware.Code)));
            programs.Add(new NamedDigest("variables", host.Digest(firmware.VariablesTemplate)));
        }

        return new MachineInputs
        {
            Base = found.Digests,
            QemuArguments = [.. QemuCommandLine.Build(launch)],
            Programs = [.. programs],
            Accelerator = accelerator.ToString(),
            CpuFeatures = accelerator == Accelerator.Kvm ? CpuFlags() : "",
            DiskSizes = plan.Disks.Select(disk => disk.Size ?? 0).ToValueList(),
            Answers = answers,
            BootCommand = source.Boot.Command,
            BootWait = source.Boot.Wait.ToString(),
            KeyboardLayout = source.Boot.Command.Count > 0 ? source.KeyboardLayout : "",
            MachineName = source.Boot.Command.Any(part => part.Contains(".Name", StringComparison.Ordinal)) ? source.Output.MachineName : "",
            User = source.Communicator.User,
            Credential = source.Communicator.Password is { } password ? FileDigests.OfText(password)
                : source.Communicator.PrivateKeyFile is { } key && File.Exists(key) ? FileDigests.OfText(File.ReadAllText(key)) : "",
            Seed = plan.Spec.Cdroms.Any(cdrom => cdrom.Seed) ? "nocloud" : "",
        };
    }

    /// <summary>The launch with a word for each path, port and random value.</summary>
    private QemuLaunch PlaceholderLaunch(MachinePlan plan, Accelerator accelerator, FirmwareFiles? firmware)
    {
        ValueList<ChainLink> chain = [new ChainLink("/disk", VolumeFormat.Qcow2)];
        var spec = plan.Spec with
        {
            Disks = plan.Disks.Select(disk => disk.Attachment).ToValueList(),
            NetworkCards = plan.Spec.NetworkCards.Select(card => card with { Mac = "52:54:00:00:00:00", Published = [] }).ToValueList(),
            Kernel = plan.Spec.Kernel is { } kernel
                ? kernel with { Kernel = "/kernel", Initrd = kernel.Initrd is null ? null : "/initrd" } : null,
        };
        return new QemuLaunch
        {
            Number = new MachineNumber(MachineNumber.First),
            Uuid = NoUuid,
            Spec = hardware.Resolve(spec),
            Accelerator = accelerator,
            Binary = "/qemu",
            Firmware = firmware is null ? null : firmware with { Code = "/code", VariablesTemplate = "/variables" },
            Disks = spec.Disks.Select(disk => LaunchDisk.Of(disk, chain)).ToValueList(),
            Variables = firmware is null ? [] : chain,
            Cdroms = spec.Cdroms.Select(cdrom => cdrom.File is null ? null : "/cd").ToValueList(),
            SeedCd = "/seed",
            Floppy = spec.Floppy is null ? null : "/floppy",
            TpmStateDirectory = spec.Tpm is null ? null : "/tpm",
            Run = RunPaths.For("/run/machine"),
        };
    }

    private static string CpuFlags() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal) || line.StartsWith("Features", StringComparison.Ordinal)) ?? "";
}
