namespace Gantry.Storage.Media;

/// <summary>What an ISO image is to be, beside its files.</summary>
public sealed record IsoOptions
{
    /// <summary>
    /// 1 to 32 printable ASCII characters, no space at the ends; <c>cidata</c> for cloud-init's NoCloud.
    /// </summary>
    public required string VolumeLabel { get; init; }

    /// <summary>
    /// The time of the volume and of every file without one of its own, years 1970 to 2155. It is an argument so that
    /// the same input gives the same bytes.
    /// </summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>POSIX names, modes, owners, links and devices; what Linux, GRUB and isolinux read.</summary>
    public bool RockRidge { get; init; } = true;

    /// <summary>Unicode names of up to 103 characters; what Windows reads. It has no links and no devices.</summary>
    public bool Joliet { get; init; } = true;

    /// <summary>At most 128 printable ASCII characters.</summary>
    public string ApplicationId { get; init; } = "GANTRY";

    /// <summary>Null: the image does not boot.</summary>
    public IsoBoot? Boot { get; init; }
}

/// <summary>How an ISO image boots. Paths name files of the tree.</summary>
public sealed record IsoBoot
{
    /// <summary>El Torito image without emulation for BIOS, such as <c>isolinux/isolinux.bin</c>.</summary>
    public string? BiosImage { get; init; }

    /// <summary>
    /// Write addresses and a checksum into bytes 8 to 63 of the BIOS image, as isolinux and GRUB need.
    /// </summary>
    public bool BootInfoTable { get; init; } = true;

    /// <summary>A FAT image with EFI/BOOT/BOOTX64.EFI or the like, such as <c>boot/efi.img</c>.</summary>
    public string? EfiImage { get; init; }

    /// <summary>Where the boot catalogue appears among the files; it must not be in the tree yet.</summary>
    public string CatalogPath { get; init; } = "boot.cat";

    /// <summary>Write a partition table too, so that the image boots from a disk or a USB stick.</summary>
    public bool Hybrid { get; init; }

    /// <summary>
    /// The MBR's code for <see cref="Hybrid"/>: the 432 bytes of Debian's /usr/lib/ISOLINUX/isohdpfx.bin, which starts
    /// <see cref="BiosImage"/> (isolinux). Empty: the disk boots with EFI only.
    /// </summary>
    public ReadOnlyMemory<byte> HybridMbr { get; init; }
}
