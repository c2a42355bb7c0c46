using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using Gantry.Model.Images;
using Gantry.Storage.Images;

namespace Gantry.EndToEnd.Builds;

/// <summary>The files of a template's first disk, read with debugfs: nothing of the guest runs.</summary>
internal sealed class GuestDisk : IDisposable
{
    private const int Sector = 512;
    private const int FirstPartition = 446 + 8;

    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-guest-disk-").FullName;

    /// <summary>Where the guest's / is.</summary>
    public string Root => Path.Combine(_folder, "root");

    public static async Task<GuestDisk> OpenAsync(BuildNode builds, TemplateRecord template, CancellationToken cancellationToken)
    {
        var disk = new GuestDisk();
        var raw = Path.Combine(disk._folder, "disk.raw");
        var chain = await builds.Node.Volumes.ChainAsync(template.Spec.Disks[0].Volume, cancellationToken);
        await builds.Node.DiskTool.ConvertAsync(chain[0].Path, DiskImageFormat.Qcow2, raw, DiskImageFormat.Raw, null, cancellationToken);
        var sector = new byte[Sector];
        await using (var file = File.OpenRead(raw))
            await file.ReadExactlyAsync(sector, cancellationToken);
        var offset = (long)BinaryPrimitives.ReadUInt32LittleEndian(sector.AsSpan(FirstPartition)) * Sector;
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

    /// <summary>SHA-256 of every file by its path from the root, and where links lead.</summary>
    public Dictionary<string, string> Digests()
    {
        var digests = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in new DirectoryInfo(Root).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
        {
            digests[Path.GetRelativePath(Root, file.FullName)] = file.LinkTarget is { } target ? $"link {target}"
                : (file.Attributes & FileAttributes.Device) != 0 ? "device"
                : Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file.FullName)));
        }

        return digests;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
