using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage.Appliances;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Images;

/// <summary>
/// Looks into a file before anything is made of it: what disks it has and what machine they are for. Whatever may be
/// wrong with a file, short of damage in the middle of a disk, is said here.
/// </summary>
internal sealed class ImportPlanner(VolumePool volumes, QemuImg images)
{
    /// <summary>For a disk of its own, of which nothing else is known.</summary>
    private const int UsualMemoryMiB = 1024;

    /// <summary>The disks, the hardware, and what could not be mapped.</summary>
    public async Task<(MachineSpec Spec, ValueList<ImportedDisk> Disks, ValueList<ApplianceRemark> Remarks)> PlanAsync(
        ImportRequest request, CancellationToken cancellationToken)
    {
        var (spec, disks, remarks) = IsPackage(request)
            ? await PackageAsync(request, cancellationToken).ConfigureAwait(false)
            : await DiskAsync(request, cancellationToken).ConfigureAwait(false);
        spec = spec with
        {
            Isa = request.Isa ?? spec.Isa,
            Firmware = request.Firmware is { } kind ? new FirmwareSpec { Kind = kind } : spec.Firmware,
            Cpu = request.Cpus is { } cpus ? new CpuTopology { Count = cpus } : spec.Cpu,
            MemoryMiB = request.MemoryMiB ?? spec.MemoryMiB,
            Tags = [],
        };
        var needed = 0L;
        foreach (var disk in disks)
        {
            if (disk.Source is { } source)
                needed += await images.CopySizeAsync(source, cancellationToken).ConfigureAwait(false);
        }

        FileSpace.Require(volumes.Folders.Volumes, needed, $"the import of {request.SourceName}");
        return (spec, disks, remarks);
    }

    /// <summary>A package by its name; and an archive whatever it is called, because no disk begins like one.</summary>
    private static bool IsPackage(ImportRequest request)
    {
        if (request.Format is not null)
            return false;
        return AppliancePackage.IsPackageName(request.SourceName) || AppliancePackage.IsArchive(request.Path);
    }

    private async Task<(MachineSpec, ValueList<ImportedDisk>, ValueList<ApplianceRemark>)> DiskAsync(
        ImportRequest request, CancellationToken cancellationToken)
    {
        var image = ForeignImage.Check(
            request.Path, request.Format, name: request.SourceName, mayHaveExtents: request.Digest is null);
        var spec = new MachineSpec
        {
            Name = NameOf(request, null),
            Isa = Isa.X86_64,
            MemoryMiB = UsualMemoryMiB,
            NetworkCards = [new NetworkCardSpec { Mac = "" }],
        };
        var size = await SizeAsync(image.Source, request.SourceName, cancellationToken).ConfigureAwait(false);
        return (spec, [Disk(request.SourceName, 0, spec.Name, image.Source, request.Bus ?? DiskBus.Default, size)], []);
    }

    private async Task<(MachineSpec, ValueList<ImportedDisk>, ValueList<ApplianceRemark>)> PackageAsync(
        ImportRequest request, CancellationToken cancellationToken)
    {
        if (request.Digest is not null && !AppliancePackage.IsArchive(request.Path))
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{request.SourceName} names its disks in other files, which neither a download nor a checksum "
                    + "brings along",
                "give the whole package as one file (.ova), or its .ovf with the files beside it on this host and "
                    + "without --checksum");
        }

        var package = AppliancePackage.Open(request.Path);
        var mapped = OvfHardware.Map(package.Descriptor, request.Bus);
        var spec = mapped.Spec with { Name = NameOf(request, package.Descriptor.Name) };
        var disks = new List<ImportedDisk>();
        foreach (var (disk, bus) in mapped.Disks)
        {
            if (disk.FileId is not { } id)
            {
                disks.Add(Disk($"disk {disk.Id}", disks.Count, spec.Name, null, bus, disk.Capacity));
                continue;
            }

            var file = package.File(package.Descriptor.Files.First(file => file.Id == id).Name);
            var image = ForeignImage.Check(
                file.Path, part: file.Part, name: file.Name, mayHaveExtents: !package.HasManifest);
            var size = await SizeAsync(image.Source, file.Name, cancellationToken).ConfigureAwait(false);
            CheckCapacity(file.Name, disk, size);
            disks.Add(Disk(file.Name, disks.Count, spec.Name, image.Source, bus, size) with
            {
                Expected = package.Digest(file.Name),
            });
        }

        var remarks = mapped.Remarks;
        if (!package.HasManifest)
            remarks = remarks.With(
                new ApplianceRemark("manifest", "there is none: that its files are whole is not known"));
        if (package.HasCertificate)
            remarks = remarks.With(new ApplianceRemark("certificate", "who made the package is not checked"));
        return (spec, [.. disks], remarks);
    }

    private ImportedDisk Disk(string name, int index, string owner, DiskImageSource? source, DiskBus bus, long size) =>
        new()
        {
            Name = name,
            Source = source,
            Bus = bus,
            Volume = volumes.Plan($"disk {index} of {owner}, imported from {name}", size) with { Frozen = true },
        };

    private async Task<long> SizeAsync(DiskImageSource source, string shown, CancellationToken cancellationToken)
    {
        var size = await images.VirtualSizeAsync(source, cancellationToken).ConfigureAwait(false);
        return size is > 0 and <= Qcow2Writer.LargestSize
            ? size
            : throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{shown} is a disk of {size} bytes, expected 1 byte to {Qcow2Writer.LargestSize >> 40} TiB");
    }

    /// <summary>The descriptor may round to its unit, and no further.</summary>
    private static void CheckCapacity(string shown, OvfDisk disk, long size)
    {
        if (Math.Abs(disk.Capacity - size) < Math.Max(disk.Unit, 512))
            return;
        throw new ProblemException(
            ProblemKind.InvalidInput,
            $"the package says that the disk {disk.Id} has {disk.Capacity} bytes, and its file {shown} has a disk "
                + $"of {size}",
            "export the machine again");
    }

    private static string NameOf(ImportRequest request, string? described)
    {
        if (request.Name is { } given)
            return Names.Check(given, request.AsMachine ? "machine" : "template");
        var stem = request.SourceName;
        while (Path.GetExtension(stem) is { Length: > 1 and <= 6 } extension && extension.Skip(1).All(
            char.IsAsciiLetterOrDigit)
            && extension.Skip(1).Any(char.IsAsciiLetter))
        {
            stem = Path.GetFileNameWithoutExtension(stem);
        }

        return new[] { described, stem }.OfType<string>().Select(Simplify).FirstOrDefault(Names.IsValid)
            ?? throw new ProblemException(
            ProblemKind.InvalidInput, $"no name can be made of '{request.SourceName}'", "give one: --name NAME");
    }

    /// <summary>Lower-case letters, digits and single hyphens: what names are made of.</summary>
    internal static string Simplify(string text)
    {
        var letters = text.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-');
        var simple = string.Join('-', new string([.. letters]).Split('-', StringSplitOptions.RemoveEmptyEntries));
        return simple[..Math.Min(simple.Length, Names.MaxLength)].TrimEnd('-');
    }
}
