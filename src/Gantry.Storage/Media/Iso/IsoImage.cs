using System.Buffers.Binary;

namespace Gantry.Storage.Media;

/// <summary>
/// Bounded reading of an image's bytes; everything beyond its end is a format error, not an exception of the stream.
/// </summary>
internal sealed class IsoImage(Stream stream)
{
    public long Length { get; } = stream.Length;

    public Stream Stream => stream;

    public byte[] ReadSector(uint sector, string what) =>
        Read((long)sector * IsoConstants.SectorSize, IsoConstants.SectorSize, what);

    public byte[] Read(long offset, int length, string what)
    {
        if (offset < 0 || offset + length > Length)
            throw new IsoFormatException(
                $"{what} should be at bytes {offset} to {offset + length}, but the image has only {Length} bytes");
        byte[] bytes = new byte[length];
        stream.Position = offset;
        stream.ReadExactly(bytes);
        return bytes;
    }

    public static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    public static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
