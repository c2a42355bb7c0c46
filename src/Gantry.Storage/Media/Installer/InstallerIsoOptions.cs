namespace Gantry.Storage.Media;

/// <summary>What to change in an installer ISO so that it installs without a key.</summary>
public sealed record InstallerIsoOptions
{
    /// <summary>The image to start from; it is only read.</summary>
    public required string Source { get; init; }

    /// <summary>The image to write, replaced once the new one is whole.</summary>
    public required string Target { get; init; }

    /// <summary>
    /// Arguments for the menu entry's kernel, as on a kernel command line. Debian's installers copy what stands behind
    /// <c>---</c> to the installed system, so arguments go in front of it; arguments behind a <c>---</c> of one's own
    /// go behind the entry's.
    /// </summary>
    public string KernelArguments { get; init; } = "";

    /// <summary>
    /// Files to add or replace, at most 5,000. Files of the image that are not named stay as they are.
    /// </summary>
    public MediaTree Files { get; init; } = new();

    /// <summary>
    /// The entry to boot, by its label, text, title or id, without regard to case; in every menu of the image. Null:
    /// each menu's own default.
    /// </summary>
    public string? MenuEntry { get; init; }

    /// <summary>
    /// How long the menu waits, rounded up to what the boot loaders count in. Zero would mean "for ever".
    /// </summary>
    public TimeSpan MenuTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The time of added and changed files; an argument so that the same input gives the same bytes.</summary>
    public required DateTimeOffset Timestamp { get; init; }
}

/// <summary>A menu entry that was changed.</summary>
/// <param name="Path">The menu's file in the image.</param>
/// <param name="Name">The entry's isolinux label or GRUB title.</param>
public sealed record InstallerIsoEntry(string Path, string Name);

/// <summary>What was done.</summary>
/// <param name="Entries">The entries that boot now.</param>
/// <param name="ChangedFiles">Files of the image that have another content now; added ones are not among them.</param>
/// <param name="Bytes">Size of the new image.</param>
public sealed record InstallerIsoResult(
    IReadOnlyList<InstallerIsoEntry> Entries, IReadOnlyList<string> ChangedFiles, long Bytes);
