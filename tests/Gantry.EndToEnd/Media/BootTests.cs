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
        // isolinux colours the first letter, GRUB does not.
        string said = await SerialBoot.WaitForAsync(images.Original, efi, asDisk, "irst entry");
        Assert.Contains(efi ? "grub-is-here" : "ISOLINUX", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task RemasteredImage_TakesTheChosenEntry_WithoutAKey(bool efi, bool asDisk)
    {
        string chosen = efi ? "entry-second-chosen" : "text-of-added";
        string said = await SerialBoot.WaitForAsync(images.Remastered, efi, asDisk, chosen);
        Assert.DoesNotContain(efi ? "entry-first-chosen" : "text-of-first", said, StringComparison.Ordinal);
    }
}
