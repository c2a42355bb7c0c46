using System.Buffers.Binary;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// Writes El Torito's boot catalogue (version 1.0; the EFI section as in UEFI 13.3.2) and boot-info table.
/// </summary>
internal static class ElToritoCatalog
{
    // isolinux and GRUB load the rest of themselves; four 512-byte sectors is what every BIOS manages.
    private const ushort BiosLoadSectors = 4;

    public static byte[] Build(IsoItem? bios, IsoItem? efi)
    {
        byte[] catalog = new byte[IsoConstants.SectorSize];
        IsoItem first = bios ?? efi ?? throw new InvalidOperationException("a catalogue needs an image");
        Validation(catalog.AsSpan(0, 32), bios is null ? IsoConstants.PlatformEfi : IsoConstants.PlatformBios);
        Image(catalog.AsSpan(32, 32), first, bios is null ? EfiSectors(first) : BiosLoadSectors);
        if (bios is null || efi is null) return catalog;

        Span<byte> header = catalog.AsSpan(64, 32);
        header[0] = 0x91; // the last section header
        header[1] = IsoConstants.PlatformEfi;
        BinaryPrimitives.WriteUInt16LittleEndian(header[2..], 1);
        Image(catalog.AsSpan(96, 32), efi, EfiSectors(efi));
        return catalog;
    }

    /// <summary>The boot record volume descriptor, which must be in sector 17.</summary>
    public static byte[] Descriptor(uint catalogSector)
    {
        byte[] sector = new byte[IsoConstants.SectorSize];
        sector[0] = IsoConstants.BootDescriptor;
        Encoding.ASCII.GetBytes("CD001", sector.AsSpan(1));
        sector[6] = 1;
        Encoding.ASCII.GetBytes(IsoConstants.ElToritoId, sector.AsSpan(7));
        BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(71), catalogSector);
        return sector;
    }

    /// <summary>mkisofs' boot-info table: addresses, length and a sum over all 32-bit words from byte 64 on.</summary>
    public static void PatchBootInfo(byte[] image, uint sector, string path)
    {
        if (image.Length < 64)
            throw new MediaException(
                $"the boot image '{path}' has {image.Length} bytes, too few for a boot-info table (64)");
        uint sum = 0;
        Span<byte> word = stackalloc byte[4];
        for (int at = 64; at < image.Length; at += 4)
        {
            word.Clear();
            image.AsSpan(at, Math.Min(4, image.Length - at)).CopyTo(word);
            sum += BinaryPrimitives.ReadUInt32LittleEndian(word);
        }
        Span<byte> table = image.AsSpan(8, 56);
        table.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(table, IsoConstants.SystemAreaSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(table[4..], sector);
        BinaryPrimitives.WriteUInt32LittleEndian(table[8..], (uint)image.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(table[12..], sum);
    }

    private static void Validation(Span<byte> entry, byte platform)
    {
        entry[0] = 1;
        entry[1] = platform;
        entry[30] = 0x55;
        entry[31] = 0xAA;
        ushort sum = 0;
        for (int i = 0; i < 32; i += 2) sum += BinaryPrimitives.ReadUInt16LittleEndian(entry[i..]);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[28..], (ushort)-sum);
    }

    private static void Image(Span<byte> entry, IsoItem image, ushort loadSectors)
    {
        entry[0] = 0x88; // bootable; media type 0, no emulation
        BinaryPrimitives.WriteUInt16LittleEndian(entry[6..], loadSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], image.DataSector);
    }

    // The field counts 512-byte sectors in 16 bits. A FAT image knows its own size; firmwares take the largest number
    // as "at least this much".
    private static ushort EfiSectors(IsoItem image) => (ushort)Math.Min((image.Length + 511) / 512, ushort.MaxValue);
}
