using System.Buffers.Binary;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// The first 32 KiB and the last sectors of an image that also boots as a disk: isolinux' MBR, a partition table with
/// the EFI image, and a GPT with the same. It is what Debian's images have (xorriso's -isohybrid-gpt-basdat), which
/// boots on most machines there are and which xorriso recognises and keeps when it repacks an image: the MBR's first
/// entry spans the whole image and has type 0 when there is an EFI image (BIOSes look for the active flag, EFI skips
/// type 0 and so sees no overlap); the GPT has two read-only "basic data" partitions, the image and the EFI image.
/// </summary>
internal static class IsoHybrid
{
    /// <summary>
    /// 1 MiB, a cylinder of 64 heads and 32 sectors, in CD sectors: what BIOSes expect disks to end on.
    /// </summary>
    public const int CylinderSectors = (1 << 20) / IsoConstants.SectorSize;

    /// <summary>Length of the code in an isolinux MBR.</summary>
    public const int MbrCodeLength = 432;

    private const int DiskSector = 512;
    private const int SectorsPerCd = IsoConstants.SectorSize / DiskSector;
    private const int GptEntries = 248, GptEntrySize = 128;
    private const int GptTableSectors = GptEntries * GptEntrySize / DiskSector;
    private const byte TypeHiddenNtfs = 0x17, TypeEfi = 0xEF;

    private static readonly Guid BasicData = new("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7");

    /// <summary>The system area, 32 KiB.</summary>
    public static byte[] SystemArea(IsoLayout layout, IsoBoot boot)
    {
        byte[] area = new byte[IsoConstants.SystemAreaSectors * IsoConstants.SectorSize];
        byte[] identity = layout.Identity();
        Mbr(area.AsSpan(0, DiskSector), layout, boot, identity);
        if (layout.EfiImage is null) return area;
        byte[] table = GptTable(layout, identity);
        GptHeader(area.AsSpan(DiskSector, DiskSector), layout, identity, table, primary: true);
        table.CopyTo(area, 2 * DiskSector);
        return area;
    }

    /// <summary>The backup GPT, to be the last bytes of the image; empty without an EFI image.</summary>
    public static byte[] Trailer(IsoLayout layout)
    {
        if (layout.EfiImage is null) return [];
        byte[] identity = layout.Identity();
        byte[] table = GptTable(layout, identity);
        byte[] trailer = new byte[table.Length + DiskSector];
        table.CopyTo(trailer, 0);
        GptHeader(trailer.AsSpan(table.Length), layout, identity, table, primary: false);
        return trailer;
    }

    private static void Mbr(Span<byte> mbr, IsoLayout layout, IsoBoot boot, byte[] identity)
    {
        if (!boot.HybridMbr.IsEmpty)
        {
            boot.HybridMbr.Span[..MbrCodeLength].CopyTo(mbr);
            // isohybrid: the boot image's address in 512-byte sectors, 64 bits wide.
            BinaryPrimitives.WriteUInt64LittleEndian(mbr[432..], (ulong)layout.BiosImage!.DataSector * SectorsPerCd);
        }
        identity.AsSpan(0, 4).CopyTo(mbr[440..]);
        uint total = (uint)Math.Min((long)layout.TotalSectors * SectorsPerCd, uint.MaxValue);
        byte type = layout.EfiImage is null ? TypeHiddenNtfs : (byte)0;
        Partition(mbr.Slice(446, 16), active: true, type, 0, total);
        if (layout.EfiImage is { } efi)
            Partition(mbr.Slice(462, 16), active: false, TypeEfi, EfiStart(efi), EfiLength(efi));
        mbr[510] = 0x55;
        mbr[511] = 0xAA;
    }

    private static uint EfiStart(IsoItem efi) => checked(efi.DataSector * SectorsPerCd);

    private static uint EfiLength(IsoItem efi) =>
        (uint)(IsoBytes.RoundUp(efi.Length, IsoConstants.SectorSize) / DiskSector);

    private static void Partition(Span<byte> entry, bool active, byte type, uint start, uint length)
    {
        entry[0] = active ? (byte)0x80 : (byte)0;
        Chs(entry[1..], start);
        entry[4] = type;
        Chs(entry[5..], start + length - 1);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], start);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], length);
    }

    private static void Chs(Span<byte> target, uint sector)
    {
        const uint Heads = 64, Sectors = 32, MaxCylinder = 1023;
        uint cylinder = sector / (Heads * Sectors);
        uint head = sector / Sectors % Heads;
        uint inTrack = sector % Sectors + 1;
        if (cylinder > MaxCylinder) (cylinder, head, inTrack) = (MaxCylinder, 254, 63);
        target[0] = (byte)head;
        target[1] = (byte)(inTrack | cylinder >> 2 & 0xC0);
        target[2] = (byte)cylinder;
    }

    private static byte[] GptTable(IsoLayout layout, byte[] identity)
    {
        byte[] table = new byte[GptTableSectors * DiskSector];
        ulong start = EfiStart(layout.EfiImage!);
        GptPartition(table, PartitionGuid(identity, 1), 0, LastUsable(layout), "ISOHybrid");
        GptPartition(
            table.AsSpan(GptEntrySize),
            PartitionGuid(identity, 2),
            start,
            start + EfiLength(layout.EfiImage!) - 1,
            "ISOHybrid1");
        return table;
    }

    private static void GptPartition(Span<byte> entry, Guid id, ulong first, ulong last, string name)
    {
        const ulong ReadOnlySystem = 1UL << 60 | 1;
        BasicData.TryWriteBytes(entry);
        id.TryWriteBytes(entry[16..]);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[32..], first);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[40..], last);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[48..], ReadOnlySystem);
        Encoding.Unicode.GetBytes(name, entry[56..]);
    }

    private static ulong LastSector(IsoLayout layout) => (ulong)layout.TotalSectors * SectorsPerCd - 1;

    private static ulong LastUsable(IsoLayout layout) => LastSector(layout) - GptTableSectors - 1;

    private static void GptHeader(Span<byte> header, IsoLayout layout, byte[] identity, byte[] table, bool primary)
    {
        const int HeaderSize = 92;
        ulong last = LastSector(layout);
        Encoding.ASCII.GetBytes("EFI PART", header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], 0x00010000);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], HeaderSize);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], primary ? 1 : last);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], primary ? last : 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header[40..], IsoConstants.SystemAreaSectors * SectorsPerCd);
        BinaryPrimitives.WriteUInt64LittleEndian(header[48..], LastUsable(layout));
        PartitionGuid(identity, 0).TryWriteBytes(header[56..]);
        BinaryPrimitives.WriteUInt64LittleEndian(header[72..], primary ? 2 : last - GptTableSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(header[80..], GptEntries);
        BinaryPrimitives.WriteUInt32LittleEndian(header[84..], GptEntrySize);
        BinaryPrimitives.WriteUInt32LittleEndian(header[88..], Crc32.Of(table));
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], Crc32.Of(header[..HeaderSize]));
    }

    /// <summary>The disk's GUID (0) or a partition's: a version 8 UUID (RFC 9562) from the image's identity.</summary>
    private static Guid PartitionGuid(byte[] identity, byte index)
    {
        byte[] bytes = [.. identity];
        bytes[15] ^= index;
        bytes[7] = (byte)(bytes[7] & 0x0F | 0x80);
        bytes[8] = (byte)(bytes[8] & 0x3F | 0x80);
        return new Guid(bytes);
    }
}
