namespace Gantry.Storage.Media;

/// <summary>Reads a boot catalogue of one sector: up to 63 entries behind the validation entry.</summary>
internal static class ElToritoParser
{
    private const int EntrySize = 32;

    public static List<IsoBootEntry> Parse(byte[] catalog)
    {
        ushort sum = 0;
        for (int at = 0; at < EntrySize; at += 2) sum += IsoImage.U16(catalog, at);
        if (catalog[0] != 1 || catalog[30] != 0x55 || catalog[31] != 0xAA || sum != 0)
            throw new IsoFormatException("the boot catalogue has no valid first entry: the image is damaged");

        var entries = new List<IsoBootEntry> { Entry(catalog, EntrySize, catalog[1]) };
        int next = 2 * EntrySize;
        while (next + EntrySize <= catalog.Length && catalog[next] is 0x90 or 0x91)
        {
            bool last = catalog[next] == 0x91;
            byte platform = catalog[next + 1];
            int count = IsoImage.U16(catalog, next + 2);
            next += EntrySize;
            for (int i = 0; i < count && next + EntrySize <= catalog.Length; i++)
            {
                entries.Add(Entry(catalog, next, platform));
                // Bit 5 of the media type announces extension entries.
                bool extended = (catalog[next + 1] & 0x20) != 0;
                next += EntrySize;
                while (extended && next + EntrySize <= catalog.Length && catalog[next] == 0x44)
                {
                    extended = (catalog[next + 1] & 0x20) != 0;
                    next += EntrySize;
                }
            }
            if (last) break;
        }
        return entries;
    }

    private static IsoBootEntry Entry(byte[] catalog, int at, byte platform) => new()
    {
        Platform = platform,
        Bootable = catalog[at] == 0x88,
        MediaType = (byte)(catalog[at + 1] & 0x0F),
        LoadSectors = IsoImage.U16(catalog, at + 6),
        Offset = (long)IsoImage.U32(catalog, at + 8) * IsoConstants.SectorSize,
    };
}
