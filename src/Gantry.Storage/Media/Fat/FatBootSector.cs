using System.Buffers.Binary;

namespace Gantry.Storage.Media;

/// <summary>Reads and checks a boot sector.</summary>
internal static class FatBootSector
{
    public static FatGeometry Parse(byte[] sector, long imageLength)
    {
        int bytesPerSector = U16(11);
        int perCluster = sector[13], reserved = U16(14), fats = sector[16], rootEntries = U16(17);
        long total = U16(19) != 0 ? U16(19) : U32(32);
        long perFat = U16(22) != 0 ? U16(22) : U32(36);
        if (sector[510] != 0x55 || sector[511] != 0xAA)
            throw Bad("the signature 55AA at byte 510", $"{sector[510]:X2}{sector[511]:X2}");
        if (bytesPerSector is not (512 or 1024 or 2048 or 4096))
            throw Bad("sectors of 512 to 4096 bytes", $"{bytesPerSector}");
        if (perCluster is 0 or > 128 || (perCluster & perCluster - 1) != 0)
            throw Bad("1 to 128 sectors a cluster", $"{perCluster}");
        if (reserved == 0) throw Bad("at least one reserved sector", "none");
        if (fats is 0 or > 4) throw Bad("one or two allocation tables", $"{fats}");
        if (perFat == 0) throw Bad("an allocation table", "none");

        var geometry = new FatGeometry
        {
            Kind = FatKind.Fat12,
            TotalSectors = total,
            SectorsPerCluster = perCluster,
            ReservedSectors = reserved,
            Fats = fats,
            SectorsPerFat = perFat,
            RootEntries = rootEntries,
            BytesPerSector = bytesPerSector,
        };
        if (geometry.DataSector >= total) throw Bad($"more than {geometry.DataSector} sectors", $"{total}");
        if (total * bytesPerSector > imageLength)
            throw new FatFormatException(
                $"the FAT image is truncated: it should have {total * bytesPerSector} bytes, the file has "
                + $"{imageLength}");
        FatKind kind = geometry.Clusters <= FatGeometry.MaxFat12Clusters ? FatKind.Fat12
            : geometry.Clusters <= FatGeometry.MaxFat16Clusters ? FatKind.Fat16
            : FatKind.Fat32;
        // A FAT32 system says so by having no fixed root folder, however few clusters a careless writer gave it.
        if (U16(22) == 0 && rootEntries == 0) kind = FatKind.Fat32;
        return geometry with { Kind = kind, RootCluster = kind == FatKind.Fat32 ? U32(44) : 0 };

        int U16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(sector.AsSpan(at));
        uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(sector.AsSpan(at));
    }

    private static FatFormatException Bad(string expected, string found) =>
        new($"this is not a FAT image: its boot sector should say {expected}, found {found}");
}
