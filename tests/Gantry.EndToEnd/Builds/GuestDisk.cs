using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using Gantry.Model.Images;
using Gantry.Storage.Images;
using Gantry.Storage.Media;

namespace Gantry.EndToEnd.Builds;

/// <summary>
/// What is on a template's disks: the first one's files, and what the others hold. It is read with debugfs and our own
/// reader of FAT; nothing of the guest runs.
/// </summary>
internal sealed class GuestDisk : IDisposable
{
    private const int Sector = 512;
    private const int PartitionTable = 446;
    private const int PartitionEntry = 16;
    private const int Partitions = 4;
    private const byte EfiSystem = 0xEF;
    private const byte Linux = 0x83;

    private readonly Dictionary<string, string> _others = new(StringComparer.Ordinal);
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-guest-disk-").FullName;

    /// <summary>Where the guest's / is.</summary>
    public string Root => Path.Combine(_folder, "root");

    public static async Task<GuestDisk> OpenAsync(BuildNode builds, TemplateRecord template, CancellationToken cancellationToken)
    {
        var disk = new GuestDisk();
        for (var i = 1; i < template.Spec.Disks.Count; i++)
        {
            var other = await disk.RawAsync(builds, template, i, cancellationToken);
            await using var content = File.OpenRead(other);
            disk._others[$"disk{i}"] = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken));
        }

        var raw = await disk.RawAsync(builds, template, 0, cancellationToken);
        var sector = new byte[Sector];
        await using var file = File.OpenRead(raw);
        await file.ReadExactlyAsync(sector, cancellationToken);
        var offset = 0L;
        for (var i = 0; i < Partitions; i++)
        {
            var entry = sector.AsMemory(PartitionTable + i * PartitionEntry, PartitionEntry);
            var start = (long)BinaryPrimitives.ReadUInt32LittleEndian(entry.Span[8..]) * Sector;
            if (entry.Span[4] == Linux)
                offset = start;
            else if (entry.Span[4] == EfiSystem)
                await disk.ReadEspAsync(file, start, (long)BinaryPrimitives.ReadUInt32LittleEndian(entry.Span[12..]) * Sector, cancellationToken);
        }

        Directory.CreateDirectory(disk.Root);
        using var dump = Process.Start(new ProcessStartInfo("debugfs", ["-R", $"rdump / {disk.Root}", $"{raw}?offset={offset}"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var said = dump.StandardError.ReadToEndAsync(cancellationToken);
        await dump.StandardOutput.ReadToEndAsync(cancellationToken);
        await dump.WaitForExitAsync(cancellationToken);
        Assert.True(Directory.Exists(Path.Combine(disk.Root, "etc")), await said);
        return disk;
    }

    /// <summary>
    /// SHA-256 of every file by its path from the root, and where links lead; of the boot partition's files as
    /// <c>esp/...</c>, and of the other disks' whole content as <c>disk1</c> and so on.
    /// </summary>
    public Dictionary<string, string> Digests()
    {
        var digests = new Dictionary<string, string>(_others, StringComparer.Ordinal);
        foreach (var file in new DirectoryInfo(Root).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
        {
            digests[Path.GetRelativePath(Root, file.FullName)] = file.LinkTarget is { } target ? $"link {target}"
                : (file.Attributes & FileAttributes.Device) != 0 ? "device"
                : Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file.FullName)));
        }

        return digests;
    }

    private async Task<string> RawAsync(BuildNode builds, TemplateRecord template, int index, CancellationToken cancellationToken)
    {
        var raw = Path.Combine(_folder, $"disk{index}.raw");
        var chain = await builds.Node.Volumes.ChainAsync(template.Spec.Disks[index].Volume, cancellationToken);
        await builds.Node.DiskTool.ConvertAsync(chain[0].Path, DiskImageFormat.Qcow2, raw, DiskImageFormat.Raw, null, cancellationToken);
        return raw;
    }

    private async Task ReadEspAsync(FileStream disk, long start, long length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        disk.Position = start;
        await disk.ReadExactlyAsync(bytes, cancellationToken);
        using var fat = FatReader.Open(new MemoryStream(bytes));
        foreach (var entry in fat.Walk().Where(entry => !entry.IsDirectory))
            _others[$"esp/{entry.Path}"] = Convert.ToHexStringLower(SHA256.HashData(fat.ReadAll(entry, int.MaxValue)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
