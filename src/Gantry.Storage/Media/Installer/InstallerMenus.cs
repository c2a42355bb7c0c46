namespace Gantry.Storage.Media;

/// <summary>
/// Finds the menus of an installer image and changes them: isolinux' and GRUB's among the files, and GRUB's inside the
/// FAT image that EFI boots from (Fedora's family has it there).
/// </summary>
internal sealed class InstallerMenus
{
    private const int MaxConfig = 4 << 20;
    private const int MaxEfiImage = 256 << 20;

    private static readonly string[] IsolinuxPaths =
    [
        "boot/isolinux/isolinux.cfg", "isolinux/isolinux.cfg", "isolinux.cfg",
        "boot/syslinux/syslinux.cfg", "syslinux/syslinux.cfg", "syslinux.cfg",
    ];

    private static readonly string[] GrubPaths =
        ["boot/grub/grub.cfg", "boot/grub2/grub.cfg", "grub/grub.cfg", "EFI/BOOT/grub.cfg"];

    private readonly IsoReader _reader;
    private readonly InstallerIsoOptions _options;
    private readonly KernelArguments _arguments;
    private readonly Dictionary<string, byte[]> _changed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _inPlace = new(StringComparer.Ordinal);
    private readonly List<InstallerIsoEntry> _entries = [];
    private string? _isolinuxText;

    private InstallerMenus(IsoReader reader, InstallerIsoOptions options)
    {
        _reader = reader;
        _options = options;
        _arguments = KernelArguments.Parse(options.KernelArguments);
    }

    public IReadOnlyList<InstallerIsoEntry> Entries => _entries;

    /// <summary>New contents by path in the image.</summary>
    public IReadOnlyDictionary<string, byte[]> Changed => _changed;

    /// <summary>
    /// New contents of boot images, of the old length: to be written over the old ones in the finished image. xorriso
    /// knows partitions by the files that they start at, and forgets them when such a file is replaced.
    /// </summary>
    public IReadOnlyDictionary<string, byte[]> InPlace => _inPlace;

    public static InstallerMenus Apply(IsoReader reader, InstallerIsoOptions options, IReadOnlyList<IsoBootEntry> boot)
    {
        var menus = new InstallerMenus(reader, options);
        bool bios = boot.Any(entry => entry.Platform == IsoConstants.PlatformBios);
        IsoBootEntry? efi = boot.FirstOrDefault(entry => entry.Platform == IsoConstants.PlatformEfi);
        bool isolinux = bios && menus.ApplyIsolinux(boot);
        bool grub = menus.ApplyGrub();
        if (efi?.Path is { } image) grub |= menus.ApplyInsideFat(image);
        if (bios && !isolinux && !grub) throw Missing("menu of isolinux or GRUB, which BIOS machines would boot");
        if (efi is not null && !grub) throw Missing("menu of GRUB, which EFI machines would boot");
        if (!bios && efi is null && !grub) throw Missing("boot menu");
        return menus;
    }

    private static MediaException Missing(string what) =>
        new($"the image has no {what}; only installers with isolinux or GRUB menus can be changed");

    private bool ApplyIsolinux(IReadOnlyList<IsoBootEntry> boot)
    {
        // isolinux looks beside itself first.
        IEnumerable<string> beside = boot.Where(entry => entry.Platform == IsoConstants.PlatformBios)
            .Select(entry => entry.Path).OfType<string>().Where(path => path.Contains('/', StringComparison.Ordinal))
            .Select(path => path[..(path.LastIndexOf('/') + 1)] + "isolinux.cfg");
        foreach (string path in beside.Concat(IsolinuxPaths).Distinct())
        {
            if (Read(path) is null || IsolinuxMenu.Parse(path, Read) is not { } menu) continue;
            string label = menu.Apply(_options.MenuEntry, _arguments, _options.MenuTimeout);
            _isolinuxText = menu.TextOf(label);
            _entries.Add(new InstallerIsoEntry(path, label));
            Take(menu.Files);
            return true;
        }
        return false;
    }

    private bool ApplyGrub()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        IEnumerable<string> vendors = _reader.Find("EFI") is { Kind: IsoEntryKind.Directory } efi
            ? _reader.List(efi).Where(entry => entry.Kind == IsoEntryKind.Directory)
                .Select(entry => $"{entry.Path}/grub.cfg")
            : [];
        foreach (string path in GrubPaths.Concat(vendors))
        {
            // The same file may be known by several paths (links, or names without case).
            if (Read(path) is null || !seen.Add(RealPath(path)) || GrubMenu.Parse(path, Read) is not { } menu) continue;
            if (menu.Files.Skip(1).Any(file => !seen.Add(RealPath(file.Path)))) continue;
            string title = menu.Apply(_options.MenuEntry, _isolinuxText, _arguments, _options.MenuTimeout);
            _entries.Add(new InstallerIsoEntry(path, title));
            Take(menu.Files);
        }
        return _entries.Exists(entry => entry.Path.EndsWith("grub.cfg", StringComparison.OrdinalIgnoreCase));
    }

    private bool ApplyInsideFat(string image)
    {
        if (Read(image, MaxEfiImage) is not { } bytes) return false;
        try
        {
            using FatReader fat = FatReader.Open(new MemoryStream(bytes));
            byte[]? ReadFat(string path) =>
                fat.Find(path) is { IsDirectory: false, Length: <= MaxConfig } file
                    ? fat.ReadAll(file, MaxConfig)
                    : null;
            var replaced = new Dictionary<string, byte[]>(StringComparer.OrdinalIgnoreCase);
            foreach (FatEntry config in fat.Walk()
                .Where(entry => entry.Name.Equals("grub.cfg", StringComparison.OrdinalIgnoreCase)))
            {
                if (GrubMenu.Parse(config.Path, ReadFat) is not { } menu) continue;
                string title = menu.Apply(_options.MenuEntry, _isolinuxText, _arguments, _options.MenuTimeout);
                _entries.Add(new InstallerIsoEntry($"{image}:{config.Path}", title));
                foreach (TextEdit file in menu.Files.Where(file => file.Changed))
                    replaced[fat.Find(file.Path)!.Path] = file.ToBytes();
            }
            if (replaced.Count == 0) return false;
            _inPlace[RealPath(image)] = Rebuild(fat, image, bytes.Length, replaced);
            return true;
        }
        catch (FatFormatException)
        {
            // Another kind of image, which no menu is looked for in.
            return false;
        }
    }

    private byte[] Rebuild(FatReader fat, string image, long size, Dictionary<string, byte[]> replaced)
    {
        var tree = new MediaTree();
        foreach (FatEntry entry in fat.Walk())
        {
            DateTimeOffset time = entry.ModifiedAt ?? _options.Timestamp;
            if (entry.IsDirectory)
            {
                var folder = new MediaNode.Directory { Permissions = MediaModes.Executable, ModifiedAt = time };
                tree.Add(entry.Path, folder);
                continue;
            }
            byte[] content = replaced.TryGetValue(entry.Path, out byte[]? changed)
                ? changed
                : fat.ReadAll(entry, MaxEfiImage);
            var file = new MediaNode.File(MediaContent.FromBytes(content))
            {
                Permissions = MediaModes.File,
                ModifiedAt = time,
            };
            tree.Add(entry.Path, file);
        }
        var options = new FatOptions
        {
            VolumeLabel = fat.VolumeLabel.Length > 0 ? fat.VolumeLabel : "EFI",
            Timestamp = _options.Timestamp,
            SizeBytes = size,
        };
        using var stream = new MemoryStream();
        try
        {
            // In memory nothing waits, so this ends at once.
            FatWriter.WriteAsync(tree, options, stream).GetAwaiter().GetResult();
        }
        catch (MediaException error)
        {
            throw new MediaException(
                $"the menu inside the EFI image '{image}' cannot be changed: {error.Message}", error);
        }
        return stream.ToArray();
    }

    private void Take(IEnumerable<TextEdit> files)
    {
        foreach (TextEdit file in files.Where(file => file.Changed)) _changed[RealPath(file.Path)] = file.ToBytes();
    }

    private byte[]? Read(string path) => Read(path, MaxConfig);

    /// <summary>A file as the new image will have it, or null.</summary>
    private byte[]? Read(string path, int limit)
    {
        string real = RealPath(path);
        if (_changed.TryGetValue(real, out byte[]? changed)) return changed;
        if (_options.Files.Find(real) is MediaNode.File { Content: var content })
        {
            if (content.Length > limit) return null;
            using Stream stream = content.Open();
            byte[] bytes = new byte[content.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        return _reader.Find(path) is { Kind: IsoEntryKind.File } file && file.Length <= limit
            ? _reader.ReadAll(file, limit)
            : null;
    }

    private string RealPath(string path) =>
        _reader.Find(path) is { } entry && entry.Path.Length > 0 ? entry.Path : path.Trim('/');
}
