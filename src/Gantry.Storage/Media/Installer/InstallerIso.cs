using System.Buffers.Binary;

namespace Gantry.Storage.Media;

/// <summary>
/// Makes an installer ISO that needs no key out of one that does: files are added, the menus' entry gets more kernel
/// arguments and boots by itself; El Torito for BIOS and EFI, the hybrid MBR and GPT, and the volume label stay, and
/// the lists of checksums are renewed. The repacking itself is xorriso's.
/// </summary>
public static class InstallerIso
{
    private const int MaxFiles = 5000;

    /// <exception cref="MediaSpaceException">Too little room for the new image.</exception>
    /// <exception cref="IsoFormatException">The source is damaged or no ISO image.</exception>
    /// <exception cref="MediaException">
    /// No such menu entry, no menu that can be changed, xorriso missing or failing, or a result that would not boot as
    /// the source did. Nothing is left behind.
    /// </exception>
    public static async Task<InstallerIsoResult> RemasterAsync(
        InstallerIsoOptions options,
        IProgress<MediaProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        Check(options);
        using IsoReader reader = IsoReader.OpenFile(options.Source);
        IReadOnlyList<IsoBootEntry> boot = reader.BootEntries();
        if (boot.FirstOrDefault(entry => entry.Path is { } path && options.Files.Find(path) is not null) is { } image)
            throw new MediaException(
                $"'{image.Path}' is what the image boots from, which cannot be replaced; add other files");
        InstallerMenus menus = InstallerMenus.Apply(reader, options, boot);
        MediaTree changes = Merge(options, menus.Changed);
        long size = new FileInfo(options.Source).Length + ContentBytes(changes);

        await MediaFileOutput.ReplaceAsync(
            options.Target,
            size + ContentBytes(changes),
            async (temporary, cancel) =>
            {
                string staging = temporary + ".files";
                try
                {
                    Directory.CreateDirectory(staging);
                    await ChecksumLists.RenewAsync(reader, changes, options.Timestamp, cancel).ConfigureAwait(false);
                    var arguments = new InstallerIsoCommand(reader, options, temporary, staging);
                    await arguments.StageAsync(changes, cancel).ConfigureAwait(false);
                    await Xorriso.RunAsync(
                        arguments.Build(),
                        options.Timestamp,
                        percent => progress?.Report(new MediaProgress((long)(percent / 100 * size), size)),
                        cancel).ConfigureAwait(false);
                    Verify(reader, options.Source, boot, temporary);
                    OverwriteInPlace(temporary, menus.InPlace);
                    ChecksumLists.PatchBootImages(temporary);
                    size = new FileInfo(temporary).Length;
                }
                finally
                {
                    Directory.Delete(staging, recursive: true);
                }
            },
            cancellation).ConfigureAwait(false);
        progress?.Report(new MediaProgress(size, size));
        string[] changed = [.. changes.Entries().Where(entry => entry.Node is MediaNode.File)
            .Select(entry => entry.Path).Concat(menus.InPlace.Keys)
            .Where(path => reader.Find(path, followLast: false) is not null)];
        return new InstallerIsoResult(menus.Entries, changed, size);
    }

    private static void Check(InstallerIsoOptions options)
    {
        if (Path.GetFullPath(options.Source) == Path.GetFullPath(options.Target))
            throw new MediaException($"the new image must have another path than the source '{options.Source}'");
        if (options.Files.Count > MaxFiles)
            throw new MediaException(
                $"{options.Files.Count} files are to be added, at most {MaxFiles} can be; pack them into an archive");
        if (options.MenuTimeout <= TimeSpan.Zero || options.MenuTimeout > TimeSpan.FromHours(1))
            throw new MediaException(
                $"the menu's timeout {options.MenuTimeout} must be above zero and at most an hour");
        if (options.Files.Entries().FirstOrDefault(entry => entry.Node is MediaNode.Device) is { } device)
            throw new MediaException($"'{device.Path}' is a device, which cannot be added to an installer ISO");
    }

    private static MediaTree Merge(InstallerIsoOptions options, IReadOnlyDictionary<string, byte[]> changed)
    {
        var tree = new MediaTree();
        foreach (MediaEntry entry in options.Files.Entries()) tree.Add(entry.Path, entry.Node);
        foreach ((string path, byte[] content) in changed)
        {
            var file = new MediaNode.File(MediaContent.FromBytes(content)) { Permissions = MediaModes.File };
            tree.Add(path, file, replace: true);
        }
        return tree;
    }

    private static long ContentBytes(MediaTree tree) =>
        tree.Entries().Sum(entry => entry.Node is MediaNode.File file ? file.Content.Length : 0);

    /// <summary>What must be as it was for the image to boot as it did.</summary>
    private static void Verify(IsoReader source, string sourcePath, IReadOnlyList<IsoBootEntry> boot, string target)
    {
        using IsoReader result = IsoReader.OpenFile(target);
        byte[] platforms = [.. boot.Where(entry => entry.Bootable).Select(entry => entry.Platform).Order()];
        byte[] kept = [.. result.BootEntries(withPaths: false)
            .Where(entry => entry.Bootable).Select(entry => entry.Platform).Order()];
        if (!platforms.AsSpan().SequenceEqual(kept))
            throw new MediaException(
                $"the new image boots {Describe(kept)}, the source {Describe(platforms)}: xorriso did not keep its "
                + "boot entries");
        if (result.VolumeLabel != source.VolumeLabel)
            throw new MediaException(
                $"the new image has the label '{result.VolumeLabel}', expected '{source.VolumeLabel}'");
        (bool mbr, bool gpt) before = DiskBoot(sourcePath), after = DiskBoot(target);
        if ((before.mbr && !after.mbr) || (before.gpt && !after.gpt))
            throw new MediaException(
                "the new image lost the source's MBR or GPT: xorriso did not recognise how it boots from a disk");
    }

    private static void OverwriteInPlace(string target, IReadOnlyDictionary<string, byte[]> contents)
    {
        using var file = new FileStream(target, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        using IsoReader result = IsoReader.Open(file, leaveOpen: true);
        foreach ((string path, byte[] content) in contents)
        {
            if (result.Find(path) is not { Extents.Count: 1 } entry || entry.Length != content.Length)
                throw new MediaException($"the new image has no '{path}' of {content.Length} bytes, as the source had");
            file.Position = entry.Extents[0].Offset;
            file.Write(content);
        }
    }

    private static string Describe(byte[] platforms) =>
        platforms.Length == 0 ? "nothing"
            : string.Join(" and ", platforms.Select(p => p == IsoConstants.PlatformEfi ? "EFI" : "BIOS"));

    private static (bool Mbr, bool Gpt) DiskBoot(string path)
    {
        byte[] start = new byte[1024];
        using FileStream file = File.OpenRead(path);
        file.ReadExactly(start);
        bool mbr = start[510] == 0x55 && start[511] == 0xAA
            && BinaryPrimitives.ReadUInt32LittleEndian(start.AsSpan(446 + 12)) != 0;
        return (mbr, start.AsSpan(512, 8).SequenceEqual("EFI PART"u8));
    }
}

/// <summary>Puts what is to be added into a folder, and says to xorriso where it goes.</summary>
internal sealed class InstallerIsoCommand(IsoReader reader, InstallerIsoOptions options, string target, string staging)
{
    private readonly List<string> _files = [];
    private readonly List<string> _folders = [];
    private readonly List<string> _added = [];
    private readonly List<(string Mode, string Path)> _modes = [];

    public async Task StageAsync(MediaTree changes, CancellationToken cancellation)
    {
        int number = 0;
        foreach (MediaEntry entry in changes.Entries())
        {
            string path = "/" + entry.Path;
            if (entry.Node is MediaNode.Directory)
            {
                if (reader.Find(entry.Path)?.Kind == IsoEntryKind.Directory) continue;
                _folders.Add(path);
            }
            else
            {
                string staged = Path.Combine(staging, $"{number++}");
                await StageAsync(entry, staged, cancellation).ConfigureAwait(false);
                _files.AddRange(["-map", staged, path]);
            }
            _added.Add(path);
            if (entry.Node is not MediaNode.Symlink)
                _modes.Add((Convert.ToString((int)entry.Node.Permissions, 8).PadLeft(4, '0'), path));
        }
    }

    public List<string> Build()
    {
        List<string> arguments =
        [
            "-no_rc", "-abort_on", "FAILURE", "-return_with", "FAILURE", "32",
            "-iso_rr_pattern", "off", "-disk_pattern", "off", "-overwrite", "on",
            "-indev", options.Source, "-outdev", target,
            "-joliet", reader.HasJoliet ? "on" : "off",
        ];
        if (_folders.Count > 0) arguments.AddRange(["-mkdir", .. _folders, "--"]);
        arguments.AddRange(_files);
        foreach (IGrouping<string, string> mode in _modes.GroupBy(pair => pair.Mode, pair => pair.Path))
            arguments.AddRange(["-chmod", mode.Key, .. mode, "--"]);
        if (_added.Count > 0)
        {
            arguments.AddRange(["-chown", "0", .. _added, "--", "-chgrp", "0", .. _added, "--"]);
            arguments.AddRange(["-alter_date", "b", $"={options.Timestamp.ToUnixTimeSeconds()}", .. _added, "--"]);
        }
        arguments.AddRange(["-boot_image", "any", "replay", "-commit", "-end"]);
        return arguments;
    }

    private static async Task StageAsync(MediaEntry entry, string staged, CancellationToken cancellation)
    {
        if (entry.Node is MediaNode.Symlink link)
        {
            File.CreateSymbolicLink(staged, link.Target);
            return;
        }
        FileStream file = new(staged, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, true);
        await using (file.ConfigureAwait(false))
        {
            await ((MediaNode.File)entry.Node).Content.CopyToAsync(file, entry.Path, cancellation)
                .ConfigureAwait(false);
        }
    }
}
