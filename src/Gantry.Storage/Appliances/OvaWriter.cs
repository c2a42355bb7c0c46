using System.Formats.Tar;
using Gantry.Model.Machines;
using Gantry.Storage.Images;

namespace Gantry.Storage.Appliances;

/// <summary>Packs a descriptor, its manifest and its disks, in that order, which readers of streams rely on.</summary>
public static class OvaWriter
{
    /// <summary>What the twelve octal digits of a POSIX tar header can say, in bytes; beyond it GNU's form is used,
    /// which VirtualBox and VMware read.</summary>
    private const long LargestPosixFile = 8L << 30;

    /// <param name="path">The archive, which must not exist.</param>
    /// <param name="spec">The machine.</param>
    /// <param name="disks">What the descriptor says of the disks; the files are in <paramref name="folder"/>.</param>
    /// <param name="folder">Where the disks' files are; each is deleted when it is packed, to need less room.</param>
    /// <param name="time">The time of all files in the archive.</param>
    /// <param name="progress">Told the bytes packed.</param>
    /// <param name="cancellationToken">Stops; the half-made archive stays.</param>
    public static async Task WriteAsync(
        string path, MachineSpec spec, IReadOnlyList<OvfDiskFile> disks, string folder, DateTimeOffset time,
        Action<long> progress,
        CancellationToken cancellationToken)
    {
        var descriptor = OvfWriter.Write(spec, disks);
        var digests = new List<(string Name, string Sha256)>
        {
            ($"{spec.Name}.ovf", Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(descriptor))),
        };
        foreach (var disk in disks)
        {
            var (sha256, _) = await SourceHasher.HashAsync(
                [Path.Combine(folder, disk.FileName)], null, null, cancellationToken).ConfigureAwait(false);
            digests.Add((disk.FileName, sha256));
        }

        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
        await using (var tar = new TarWriter(file, TarEntryFormat.Ustar, leaveOpen: true))
        {
            await AddAsync(
                tar, $"{spec.Name}.ovf", new MemoryStream(descriptor), time, cancellationToken).ConfigureAwait(false);
            await AddAsync(
                tar, $"{spec.Name}.mf", new MemoryStream(OvfManifest.Write(digests)), time, cancellationToken)
                .ConfigureAwait(false);
            foreach (var disk in disks)
            {
                var source = Path.Combine(folder, disk.FileName);
                await using (var content = File.OpenRead(source))
                    await AddAsync(tar, disk.FileName, content, time, cancellationToken).ConfigureAwait(false);
                File.Delete(source);
                progress(file.Position);
            }
        }

        await file.FlushAsync(cancellationToken).ConfigureAwait(false);
        file.Flush(flushToDisk: true);
    }

    private static Task AddAsync(
        TarWriter tar, string name, Stream content, DateTimeOffset time, CancellationToken cancellationToken)
    {
        TarEntry entry = content.Length < LargestPosixFile
            ? new UstarTarEntry(TarEntryType.RegularFile, name)
            : new GnuTarEntry(TarEntryType.RegularFile, name);
        entry.ModificationTime = time;
        entry.DataStream = content;
        return tar.WriteEntryAsync(entry, cancellationToken);
    }
}
