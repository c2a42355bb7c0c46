using Gantry.Engines.Screen;

namespace Gantry.Engines.Tests.Screen;

public sealed class TextMemoryTests
{
    [Theory]
    [InlineData("isolinux-menu")]
    [InlineData("linux-vga-console")]
    public void Read_RecordedMemoryAndPicture_GivesTheTextThatThePictureShows(string name)
    {
        var text = TextMemory.Read(Recorded.Picture(name), Recorded.Memory(name));
        Assert.NotNull(text);
        Assert.Equal(ScreenSource.TextMemory, text.Source);
        Assert.Equal(Recorded.Text(name), text.ToString(), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Read_MemoryOfAnotherScreen_IsNotBelieved()
    {
        Assert.Null(TextMemory.Read(Recorded.Picture("isolinux-menu"), Recorded.Memory("linux-vga-console")));
        Assert.Null(TextMemory.Read(Recorded.Picture("linux-vga-console"), Recorded.Memory("isolinux-menu")));
    }

    [Fact]
    public void Read_GraphicsOfTheSameSize_IsNotBelieved()
    {
        var random = new Random(1);
        var picture = new Picture(720, 400, [.. Enumerable.Range(0, 720 * 400).Select(_ => (uint)random.Next(1 << 24))]);
        Assert.Null(TextMemory.Read(picture, Recorded.Memory("isolinux-menu")));
        Assert.Null(TextMemory.Read(picture, new byte[TextMemory.Size]));
        Assert.Null(TextMemory.Read(picture, [.. Enumerable.Repeat((byte)0xff, TextMemory.Size)]));
    }

    [Fact]
    public void Read_GuestsOwnFont_NeedsNoKnowledgeOfIt()
    {
        // Upside down letters are in no font that is known here.
        var picture = Recorded.Picture("isolinux-menu");
        var turned = new uint[picture.Pixels.Length];
        for (var y = 0; y < picture.Height; y++)
            picture.Row((y / 16 * 16) + 15 - (y % 16)).CopyTo(turned.AsSpan(y * picture.Width));
        var text = TextMemory.Read(new Picture(picture.Width, picture.Height, turned), Recorded.Memory("isolinux-menu"));
        Assert.Equal(Recorded.Text("isolinux-menu"), text!.ToString(), ignoreLineEndingDifferences: true);
    }

    [Theory]
    [InlineData(1024, 768)]
    [InlineData(1280, 800)]
    [InlineData(800, 600)]
    public void Modes_SizesOfGraphics_AreNone(int width, int height) =>
        Assert.DoesNotContain(TextMode.For(width, height), m => m.CellHeight == 16);
}
