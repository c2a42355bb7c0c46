using System.Buffers.Binary;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// The numbers of a FAT file system (Microsoft's "FAT: General Overview of On-Disk Format" 1.03), chosen when writing
/// and checked when reading. The kind follows from the number of clusters and from nothing else.
/// </summary>
internal sealed record FatGeometry
{
    public const int SectorSize = 512;
    public const int EntrySize = 32;
    public const int MaxFat12Clusters = 4084, MaxFat16Clusters = 65524, MaxFat32Clusters = 0x0FFFFFF5;

    // Some drivers are off by a few at the limits between the kinds; Microsoft advises to stay 16 away.
    private const int Shy = 16;

    private const int FirstFsInfo = 1, BackupBoot = 6;

    public required FatKind Kind { get; init; }

    public required long TotalSectors { get; init; }

    public required int SectorsPerCluster { get; init; }

    public required int ReservedSectors { get; init; }

    public required int Fats { get; init; }

    public required long SectorsPerFat { get; init; }

    /// <summary>Entries of the fixed root folder; 0 for FAT32, whose root is a chain of clusters.</summary>
    public required int RootEntries { get; init; }

    public uint RootCluster { get; init; }

    public byte Media { get; init; } = 0xF8;

    public int SectorsPerTrack { get; init; } = 63;

    public int Heads { get; init; } = 255;

    public int BytesPerSector { get; init; } = SectorSize;

    public int ClusterSize => SectorsPerCluster * BytesPerSector;

    public int RootSectors => (RootEntries * EntrySize + BytesPerSector - 1) / BytesPerSector;

    public long RootSector => ReservedSectors + Fats * SectorsPerFat;

    public long DataSector => RootSector + RootSectors;

    public long Clusters => (TotalSectors - DataSector) / SectorsPerCluster;

    /// <summary>What a chain ends with when written; readers take anything from seven below on.</summary>
    public uint EndOfChain => Kind switch
    {
        FatKind.Fat12 => 0xFFF,
        FatKind.Fat16 => 0xFFFF,
        FatKind.Fat32 => 0x0FFFFFFF,
        _ => throw new InvalidOperationException($"unknown kind {Kind}"),
    };

    public long ClusterOffset(uint cluster) => (DataSector + (cluster - 2L) * SectorsPerCluster) * BytesPerSector;

    /// <summary>A geometry for an image of a size, with room for at least that many entries in the root.</summary>
    public static FatGeometry For(long bytes, int rootEntries)
    {
        if (bytes == FatOptions.Floppy1440) return Floppy;
        const long MiB = 1 << 20, GiB = 1 << 30;
        if (bytes % SectorSize != 0 || bytes < 64 * 1024 || bytes / SectorSize > uint.MaxValue)
            throw new MediaException(
                $"a FAT image of {bytes} bytes cannot be: expected a multiple of {SectorSize}, from 64 KiB to 2 TiB");
        FatKind kind = bytes <= 8 * MiB ? FatKind.Fat12 : bytes <= 512 * MiB ? FatKind.Fat16 : FatKind.Fat32;
        int smallest = kind != FatKind.Fat32 ? 1
            : bytes <= 8 * GiB ? 8
            : bytes <= 16 * GiB ? 16
            : bytes <= 32 * GiB ? 32
            : 64;
        int most = kind switch
        {
            FatKind.Fat12 => MaxFat12Clusters,
            FatKind.Fat16 => MaxFat16Clusters,
            FatKind.Fat32 => MaxFat32Clusters,
            _ => throw new InvalidOperationException($"unknown kind {kind}"),
        };
        for (int perCluster = smallest; perCluster <= 64; perCluster *= 2)
        {
            FatGeometry geometry = WithClusters(kind, bytes / SectorSize, perCluster, rootEntries);
            if (geometry.Clusters <= most - Shy) return geometry;
        }
        throw new MediaException($"a FAT image of {bytes} bytes has too many clusters");
    }

    private static readonly FatGeometry Floppy = new()
    {
        Kind = FatKind.Fat12,
        TotalSectors = 2880,
        SectorsPerCluster = 1,
        ReservedSectors = 1,
        Fats = 2,
        SectorsPerFat = 9,
        RootEntries = 224,
        Media = 0xF0,
        SectorsPerTrack = 18,
        Heads = 2,
    };

    private static FatGeometry WithClusters(FatKind kind, long sectors, int perCluster, int rootEntries)
    {
        const int PerSector = SectorSize / EntrySize;
        var geometry = new FatGeometry
        {
            Kind = kind,
            TotalSectors = sectors,
            SectorsPerCluster = perCluster,
            ReservedSectors = kind == FatKind.Fat32 ? 32 : 1,
            Fats = 2,
            SectorsPerFat = 1,
            RootEntries = kind == FatKind.Fat32 ? 0 : Math.Max(512, IsoBytes.RoundUp(rootEntries, PerSector)),
            RootCluster = kind == FatKind.Fat32 ? 2u : 0,
        };
        // A larger table leaves fewer clusters, so this only needs to grow until the table covers them.
        while (TableBytes(kind, geometry.Clusters) > geometry.SectorsPerFat * SectorSize)
        {
            long needed = (TableBytes(kind, geometry.Clusters) + SectorSize - 1) / SectorSize;
            long grown = geometry.SectorsPerFat + Math.Max(1, (needed - geometry.SectorsPerFat) / 2);
            geometry = geometry with { SectorsPerFat = grown };
        }
        return geometry;
    }

    private static long TableBytes(FatKind kind, long clusters) => kind switch
    {
        FatKind.Fat12 => ((clusters + 2) * 3 + 1) / 2,
        FatKind.Fat16 => (clusters + 2) * 2,
        FatKind.Fat32 => (clusters + 2) * 4,
        _ => throw new InvalidOperationException($"unknown kind {kind}"),
    };

    /// <summary>All reserved sectors: boot sector, and for FAT32 the information sector and their copies.</summary>
    public byte[] ReservedArea(string label, uint serial, uint usedClusters)
    {
        byte[] area = new byte[ReservedSectors * SectorSize];
        BootSector(area, label, serial);
        if (Kind != FatKind.Fat32) return area;
        Span<byte> info = area.AsSpan(FirstFsInfo * SectorSize, SectorSize);
        "RRaA"u8.CopyTo(info);
        "rrAa"u8.CopyTo(info[484..]);
        BinaryPrimitives.WriteUInt32LittleEndian(info[488..], (uint)Clusters - usedClusters);
        BinaryPrimitives.WriteUInt32LittleEndian(info[492..], usedClusters + 2);
        info[510] = 0x55;
        info[511] = 0xAA;
        area.AsSpan(0, 2 * SectorSize).CopyTo(area.AsSpan(BackupBoot * SectorSize));
        return area;
    }

    private void BootSector(Span<byte> sector, string label, uint serial)
    {
        bool wide = Kind == FatKind.Fat32;
        int code = wide ? 90 : 62;
        // Jump over the numbers to "int 18h", which lets a BIOS go on with the next device; then halt.
        ReadOnlySpan<byte> start = [0xEB, (byte)(code - 2), 0x90];
        start.CopyTo(sector);
        ReadOnlySpan<byte> program = [0xCD, 0x18, 0xF4, 0xEB, 0xFD];
        program.CopyTo(sector[code..]);
        Encoding.ASCII.GetBytes("GANTRY  ", sector[3..]);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[11..], SectorSize);
        sector[13] = (byte)SectorsPerCluster;
        BinaryPrimitives.WriteUInt16LittleEndian(sector[14..], (ushort)ReservedSectors);
        sector[16] = (byte)Fats;
        BinaryPrimitives.WriteUInt16LittleEndian(sector[17..], (ushort)RootEntries);
        bool small = TotalSectors <= ushort.MaxValue && !wide;
        BinaryPrimitives.WriteUInt16LittleEndian(sector[19..], small ? (ushort)TotalSectors : (ushort)0);
        sector[21] = Media;
        BinaryPrimitives.WriteUInt16LittleEndian(sector[22..], wide ? (ushort)0 : (ushort)SectorsPerFat);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[24..], (ushort)SectorsPerTrack);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[26..], (ushort)Heads);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[32..], small ? 0 : (uint)TotalSectors);
        if (wide)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(sector[36..], (uint)SectorsPerFat);
            BinaryPrimitives.WriteUInt32LittleEndian(sector[44..], RootCluster);
            BinaryPrimitives.WriteUInt16LittleEndian(sector[48..], FirstFsInfo);
            BinaryPrimitives.WriteUInt16LittleEndian(sector[50..], BackupBoot);
        }
        Span<byte> extended = sector[(wide ? 64 : 36)..];
        extended[0] = Media == 0xF0 ? (byte)0 : (byte)0x80;
        extended[2] = 0x29;
        BinaryPrimitives.WriteUInt32LittleEndian(extended[3..], serial);
        Encoding.ASCII.GetBytes(label.PadRight(11), extended[7..]);
        string type = wide ? "FAT32   " : Kind == FatKind.Fat16 ? "FAT16   " : "FAT12   ";
        Encoding.ASCII.GetBytes(type, extended[18..]);
        sector[510] = 0x55;
        sector[511] = 0xAA;
    }
}
