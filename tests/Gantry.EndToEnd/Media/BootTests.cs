namespace Gantry.EndToEnd.Media;

public class BootTests(BootableImages images) : IClassFixture<BootableImages>
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task WrittenImage_Boots_AsCdAndDisk_WithBiosAndEfi(bool efi, bool asDisk)
    {
        string said = await SerialBoot.WaitForAsync(images.Original, efi, asDisk, "Second entry");
        Assert.Contains(efi ? "grub-is-here" : "isolinux-is-here", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task RemasteredImage_TakesTheChosenEntry_WithoutAKey(bool efi, bool asDisk)
    {
        string said = await SerialBoot.WaitForAsync(images.Remastered, efi, asDisk, efi ? "entry-second-chosen" : "text-of-added");
        Assert.DoesNotContain("entry-first-chosen", said, StringComparison.Ordinal);
        Assert.Contains("entry-second-chosen", said, StringComparison.Ordinal);
    }
}
