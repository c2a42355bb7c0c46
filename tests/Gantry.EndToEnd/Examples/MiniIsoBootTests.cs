using Gantry.EndToEnd.Media;

namespace Gantry.EndToEnd.Examples;

/// <summary>The mini installer's ISO, written by our own code: it starts with both firmwares, as CD and as disk.</summary>
[Collection("examples")]
public sealed class MiniIsoBootTests(ExampleHome home) : IClassFixture<ExampleHome>
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task MiniIso_Boots_AsCdAndDisk_WithBiosAndEfi(bool efi, bool asDisk)
    {
        var iso = Path.Combine(home.Folder, "mini.iso");
        await ExampleScript.RunAsync(home.Folder, ExampleScript.PathOf("mini/make-iso"), "--arch", "amd64", iso);
        var said = await SerialBoot.WaitForAsync(iso, efi, asDisk, efi ? "Firmware settings" : "Start from the");
        Assert.Contains("nstall", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MakeIso_Twice_GivesTheSameBytes()
    {
        var first = Path.Combine(home.Folder, "first.iso");
        var second = Path.Combine(home.Folder, "second.iso");
        var tree = Directory.CreateDirectory(Path.Combine(home.Folder, "tree")).FullName;
        await File.WriteAllTextAsync(Path.Combine(tree, "meta-data"), "instance-id: one\n", TestContext.Current.CancellationToken);
        foreach (var path in new[] { first, second })
            await home.GantryAsync("image", "make-iso", path, tree, "--label", "cidata", "--time", "1700000000");
        Assert.Equal(
            await File.ReadAllBytesAsync(first, TestContext.Current.CancellationToken),
            await File.ReadAllBytesAsync(second, TestContext.Current.CancellationToken));
    }
}
