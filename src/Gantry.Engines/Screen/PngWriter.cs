using System.Buffers.Binary;
using System.IO.Compression;

namespace Gantry.Engines.Screen;

/// <summary>Writes PNG files (RFC 2083): with a palette where there are few colours, else true colour.</summary>
public static class PngWriter
{
    private static readonly uint[] CrcTable = [.. Enumerable.Range(0, 256).Select(n =>
    {
        var c = (uint)n;
        for (var k = 0; k < 8; k++)
            c = (c & 1) != 0 ? 0xedb88320 ^ (c >> 1) : c >> 1;
        return c;
    })];

    /// <summary>The picture as a PNG file.</summary>
    public static byte[] Write(Picture picture)
    {
        var palette = Palette(picture);
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        Span<byte> head = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(head, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(head[4..], picture.Height);
        head[8] = 8;
        head[9] = (byte)(palette is null ? 2 : 3);
        head[10..].Clear();
        Chunk(file, "IHDR"u8, head);
        if (palette is not null)
        {
            var colours = new byte[palette.Count * 3];
            foreach (var (colour, index) in palette)
                WriteColour(colours.AsSpan(index * 3), colour);
            Chunk(file, "PLTE"u8, colours);
        }
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            WriteRows(zlib, picture, palette);
        Chunk(file, "IDAT"u8, compressed.GetBuffer().AsSpan(0, (int)compressed.Length));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    /// <summary>Each colour's index; null where there are more than 256.</summary>
    private static Dictionary<uint, byte>? Palette(Picture picture)
    {
        var palette = new Dictionary<uint, byte>();
        var last = ~0u;
        foreach (var pixel in picture.Pixels)
        {
            if (pixel == last)
                continue;
            last = pixel;
            if (palette.ContainsKey(pixel))
                continue;
            if (palette.Count == 256)
                return null;
            palette.Add(pixel, (byte)palette.Count);
        }
        return palette;
    }

    private static void WriteRows(ZLibStream zlib, Picture picture, Dictionary<uint, byte>? palette)
    {
        var line = new byte[1 + (picture.Width * (palette is null ? 3 : 1))];
        for (var y = 0; y < picture.Height; y++)
        {
            var row = picture.Row(y);
            for (var x = 0; x < row.Length; x++)
            {
                if (palette is null)
                    WriteColour(line.AsSpan(1 + (x * 3)), row[x]);
                else
                    line[1 + x] = x > 0 && row[x] == row[x - 1] ? line[x] : palette[row[x]];
            }
            zlib.Write(line);
        }
    }

    private static void WriteColour(Span<byte> place, uint colour)
    {
        place[0] = (byte)(colour >> 16);
        place[1] = (byte)(colour >> 8);
        place[2] = (byte)colour;
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(Crc(~0u, type), data));
        file.Write(number);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (var b in data)
            crc = CrcTable[(byte)(crc ^ b)] ^ (crc >> 8);
        return crc;
    }
}
