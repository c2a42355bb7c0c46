using CsCheck;
using Gantry.Engines.Screen;

namespace Gantry.Engines.Tests.Screen;

public sealed class GlyphReaderTests
{
    private static readonly Gen<string> Words = Gen.String[Gen.Char["abcdefghijkmnoprstuvwxyzABCDEFGHKLMNPQRSTUVWXYZ23456789"], 4, 10]
        .Array[2, 5].Select(words => string.Join(' ', words));

    [Theory]
    [InlineData("isolinux-menu")]
    [InlineData("isolinux-vesamenu")]
    [InlineData("isolinux-vesamenu-on-picture")]
    [InlineData("grub-text")]
    [InlineData("grub-gfxterm")]
    [InlineData("grub-gfxterm-on-picture")]
    [InlineData("linux-vga-console")]
    [InlineData("linux-framebuffer")]
    [InlineData("linux-uefi-framebuffer")]
    [InlineData("ovmf-shell")]
    [InlineData("aavmf-shell-ramfb")]
    public void Read_RecordedScreen_GivesItsText(string name)
    {
        var text = new GlyphReader().Read(Recorded.Picture(name));
        Assert.Equal(Recorded.Text(name), text.ToString(), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Read_TextInAnyFontColourAndPlace_IsFound() =>
        Gen.Select(Words, Gen.Int[0, GlyphFonts.All.Length - 1], Gen.Int[0, 40], Gen.Int[0, 40], Gen.UInt, Gen.UInt)
            .Where((_, _, _, _, ink, paper) => ((ink ^ paper) & 0xffffff) != 0)
            .Sample((words, font, x, y, ink, paper) =>
            {
                var canvas = new Canvas(640, 80, paper & 0xffffff);
                canvas.Draw(words, GlyphFonts.All[font], x, y, ink & 0xffffff);
                var text = new GlyphReader().Read(canvas.Picture);
                Assert.True(text.Contains(words), $"{GlyphFonts.All[font].Name}: {text}");
            }, iter: 60);

    [Fact]
    public void Read_ShadowedTextOnAPicture_IsFound() =>
        Gen.Select(Words, Gen.Int[0, 30], Gen.Int[0, 30], Gen.Int).Sample((words, x, y, seed) =>
        {
            var font = GlyphFonts.All[0];
            var canvas = new Canvas(640, 80, 0);
            canvas.Noise(new Random(seed));
            canvas.Draw(words, font, x + 1, y + 1, 0x101010);
            canvas.Draw(words, font, x, y, 0xf0f0f0);
            var text = new GlyphReader().Read(canvas.Picture);
            Assert.True(text.Contains(words), text.ToString());
        }, iter: 15);

    [Fact]
    public void Read_NoiseOrPlainColour_GivesNothing()
    {
        var plain = new Canvas(320, 200, 0x336699);
        Assert.True(new GlyphReader().Read(plain.Picture).IsBlank);
        plain.Noise(new Random(1));
        Assert.True(new GlyphReader().Read(plain.Picture).IsBlank);
        var twoColours = new Random(2);
        var snow = new Picture(320, 200, [.. Enumerable.Range(0, 64000).Select(_ => (uint)twoColours.Next(2) * 0xffffff)]);
        Assert.True(new GlyphReader().Read(snow).IsBlank);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(9, 19)]
    [InlineData(1023, 8)]
    public void Read_SmallOrOddPicture_DoesNotFail(int width, int height)
    {
        var canvas = new Canvas(width, height, 0);
        canvas.Noise(new Random(1));
        Assert.True(new GlyphReader().Read(canvas.Picture).IsBlank);
    }

    [Fact]
    public void Read_TwoTextsSideBySide_ShareARow()
    {
        var canvas = new Canvas(640, 60, 0);
        canvas.Draw("Left side text", GlyphFonts.All[0], 3, 10, 0xffffff);
        canvas.Draw("Right side text", GlyphFonts.All[0], 404, 10, 0xffff00);
        var row = new GlyphReader().Read(canvas.Picture).ToString();
        Assert.Matches("^Left side text {20,}Right side text$", row);
    }

    [Fact]
    public void Read_CursorUnderALetter_StillReadsIt()
    {
        var canvas = new Canvas(320, 40, 0);
        canvas.Draw("Shell>", GlyphFonts.All[0], 0, 0, 0xaaaaaa);
        canvas.Fill(8, 14, 8, 2, 0xaaaaaa);
        Assert.Equal("Shell>", new GlyphReader().Read(canvas.Picture).ToString());
    }

    /// <summary>A picture to draw on.</summary>
    private sealed class Canvas
    {
        public Canvas(int width, int height, uint paper) =>
            Picture = new Picture(width, height, [.. Enumerable.Repeat(paper, width * height)]);

        public Picture Picture { get; }

        public void Draw(string text, GlyphFont font, int x, int y, uint ink)
        {
            foreach (var c in text)
            {
                var rows = c == ' ' ? [] : font.Glyphs.First(g => g.Character == c).Rows;
                for (var row = 0; row < rows.Length; row++)
                {
                    for (var column = 0; column < 8; column++)
                    {
                        if ((rows[row] & (0x80 >> column)) != 0)
                            Fill(x + column, y + row, 1, 1, ink);
                    }
                }
                x += 8;
            }
        }

        public void Fill(int x, int y, int width, int height, uint ink)
        {
            for (var row = y; row < y + height; row++)
                Picture.Pixels.AsSpan((row * Picture.Width) + x, width).Fill(ink);
        }

        /// <summary>A soft, coloured, grainy picture.</summary>
        public void Noise(Random random)
        {
            for (var i = 0; i < Picture.Pixels.Length; i++)
            {
                var (x, y) = (i % Picture.Width, i / Picture.Width);
                var red = 110 + (60 * Math.Sin(x / 40.0) * Math.Cos(y / 30.0)) + random.Next(10);
                var green = 100 + (50 * Math.Sin((x + y) / 60.0)) + random.Next(10);
                var blue = 110 + (60 * Math.Cos(x / 90.0)) + random.Next(10);
                Picture.Pixels[i] = ((uint)red << 16) | ((uint)green << 8) | (uint)blue;
            }
        }
    }
}
