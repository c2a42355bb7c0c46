namespace Gantry.Storage.Media;

/// <summary>Sizes and codes of ECMA-119 (ISO 9660), SUSP, RRIP and El Torito that writer and reader share.</summary>
internal static class IsoConstants
{
    public const int SectorSize = 2048;

    /// <summary>Sectors 0 to 15 belong to the system: MBR and GPT of a hybrid image.</summary>
    public const int SystemAreaSectors = 16;

    public const byte BootDescriptor = 0;
    public const byte PrimaryDescriptor = 1;
    public const byte SupplementaryDescriptor = 2;
    public const byte TerminatorDescriptor = 255;

    public const byte FlagDirectory = 2;
    public const byte FlagMultiExtent = 0x80;

    /// <summary>Bytes of a directory record before its identifier.</summary>
    public const int RecordHeader = 33;

    public const int MaxRecord = 254;
    public const int ContinuationEntry = 28;

    /// <summary>The largest extent that ends on a sector: file sizes are 32 bits wide.</summary>
    public const uint MaxExtent = 0xFFFFF800;

    public const string ElToritoId = "EL TORITO SPECIFICATION";
    public const byte PlatformBios = 0;
    public const byte PlatformEfi = 0xEF;
}
