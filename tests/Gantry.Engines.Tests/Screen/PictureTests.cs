using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using CsCheck;
using Gantry.Engines.Screen;

namespace Gantry.Engines.Tests.Screen;

public sealed class PictureTests
{
    [Fact]
    public void FromPpm_QemusForm_GivesPixels()
    {
        byte[] file = [.. "P6\n2 1\n255\n"u8, 1, 2, 3, 255, 254, 253];
        var picture = Picture.FromPpm(file);
        Assert.Equal((2, 1), (picture.Width, picture.Height));
        Assert.Equal([0x010203u, 0xfffefdu], picture.Pixels);
    }

    [Theory]
    [InlineData("P5\n1 1\n255\nabc", "expected a binary PPM")]
    [InlineData("P6\n1 1\n65535\nabc", "expected 255 shades")]
    [InlineData("P6\n99999 1\n255\nabc", "not possible")]
    [InlineData("P6\n0 1\n255\nabc", "not possible")]
    [InlineData("P6\n2 2\n255\nabc", "cut off")]
    [InlineData("P6\n2 ", "expected a number")]
    [InlineData("P6\n2", "expected a number")]
    [InlineData("P6", "expected a number")]
    [InlineData("P6\n# endless", "expected a number")]
    public void FromPpm_Other_SaysWhatIsWrong(string file, string message)
    {
        var e = Assert.Throws<InvalidDataException>(() => Picture.FromPpm(Encoding.ASCII.GetBytes(file)));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Png_AnyPicture_ReadsBackAsItWas() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 2000], Gen.Int).Sample((width, height, colours, seed) =>
        {
            var random = new Random(seed);
            var palette = Enumerable.Range(0, colours).Select(_ => (uint)random.Next(1 << 24)).ToArray();
            var pixels = Enumerable.Range(0, width * height).Select(_ => palette[random.Next(colours)]).ToArray();
            Assert.Equal(pixels, ReadPng(PngWriter.Write(new Picture(width, height, pixels)), width, height));
        });

    /// <summary>Reads what the writer may write: 8 bits, unfiltered, palette or true colour.</summary>
    private static uint[] ReadPng(byte[] file, int width, int height)
    {
        var at = 8;
        byte[] palette = [];
        var data = new MemoryStream();
        var type = 0;
        while (at < file.Length)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            var body = file.AsSpan(at + 8, length);
            switch (Encoding.ASCII.GetString(file, at + 4, 4))
            {
                case "IHDR":
                    Assert.Equal(width, BinaryPrimitives.ReadInt32BigEndian(body));
                    Assert.Equal(height, BinaryPrimitives.ReadInt32BigEndian(body[4..]));
                    type = body[9];
                    break;
                case "PLTE":
                    palette = body.ToArray();
                    break;
                case "IDAT":
                    data.Write(body);
                    break;
                default:
                    break;
            }
            at += length + 12;
        }
        data.Position = 0;
        using var zlib = new ZLibStream(data, CompressionMode.Decompress);
        var raw = new MemoryStream();
        zlib.CopyTo(raw);
        var bytes = raw.ToArray();
        var size = type == 3 ? 1 : 3;
        Assert.Equal(height * (1 + (width * size)), bytes.Length);
        return [.. Enumerable.Range(0, width * height).Select(i =>
        {
            var place = (i / width * (1 + (width * size))) + 1 + (i % width * size);
            var colour = type == 3 ? palette.AsSpan(bytes[place] * 3, 3) : bytes.AsSpan(place, 3);
            return ((uint)colour[0] << 16) | ((uint)colour[1] << 8) | colour[2];
        })];
    }
}
