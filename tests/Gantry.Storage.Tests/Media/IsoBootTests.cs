using Gantry.Storage.Media;

namespace Gantry.Storage.Tests.Media;

public class IsoBootTests
{
    private static readonly DateTimeOffset Time = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static MediaTree Tree() => new MediaTree()
        .AddFile("isolinux/isolinux.bin", MediaContent.FromFile("/usr/lib/ISOLINUX/isolinux.bin"))
        .AddFile("boot/efi.img", MediaContent.FromBytes(new byte[300_000]))
        .AddFile("other", MediaContent.FromText("other"));

    private static IsoOptions Options(IsoBoot boot) => new() { VolumeLabel = "BOOT", Timestamp = Time, Boot = boot };

    private static readonly IsoBoot Hybrid = new()
    {
        BiosImage = "isolinux/isolinux.bin",
        EfiImage = "/boot/efi.img",
        CatalogPath = "isolinux/boot.cat",
        Hybrid = true,
        HybridMbr = File.ReadAllBytes("/usr/lib/ISOLINUX/isohdpfx.bin"),
    };

    [Fact]
    public async Task Xorriso_ReportsBothImagesAndTheBootInfoTable()
    {
        using var folder = new TemporaryFolder();
        await IsoWriter.WriteFileAsync(Tree(), Options(Hybrid), folder["x.iso"]);
        string report = Oracle.Run("xorriso", "-indev", folder["x.iso"], "-report_el_torito", "plain");
        Assert.Matches(@"El Torito cat path : /isolinux/boot.cat", report);
        Assert.Matches(@"El Torito boot img :   1  BIOS  y   none  0x0000  0x00      4 ", report);
        Assert.Matches(@"El Torito boot img :   2  UEFI  y   none  0x0000  0x00    586 ", report);
        Assert.Matches(@"El Torito img path :   1  /isolinux/isolinux.bin", report);
        Assert.Matches(@"El Torito img opts :   1  boot-info-table isohybrid-suitable", report);
        Assert.Matches(@"El Torito img path :   2  /boot/efi.img", report);
    }

    [Fact]
    public async Task Xorriso_ReportsTheHybridPartitions()
    {
        using var folder = new TemporaryFolder();
        await IsoWriter.WriteFileAsync(Tree(), Options(Hybrid), folder["x.iso"]);
        string report = Oracle.Run("xorriso", "-indev", folder["x.iso"], "-report_system_area", "plain");
        Assert.True(report.Contains("System area summary: MBR isohybrid cyl-align-on GPT", StringComparison.Ordinal),
            report);
        Assert.Matches(@"MBR partition      :   1   0x80  0x00            0         2048", report);
        Assert.Matches(@"MBR partition      :   2   0x00  0xef .* 588", report);
        Assert.Matches(@"MBR partition path :   2  /boot/efi.img", report);
        Assert.Matches(@"GPT entry array    :      2  248  overlapping", report);
        Assert.Matches(@"GPT partname local :   1  ISOHybrid\n", report);
        Assert.Matches(@"GPT type GUID      :   2  a2a0d0ebe5b9334487c068b6b72699c7", report);
        Assert.Matches(@"GPT partition path :   2  /boot/efi.img", report);
        Assert.DoesNotContain("GPT CRC should be", report, StringComparison.Ordinal);
        Assert.DoesNotContain("GPT backup problems", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reader_FindsTheImagesThatWereWritten()
    {
        using var stream = new MemoryStream();
        await IsoWriter.WriteAsync(Tree(), Options(Hybrid), stream);
        using var reader = IsoReader.Open(stream);
        IReadOnlyList<IsoBootEntry> entries = reader.BootEntries();
        Assert.Equal(["isolinux/isolinux.bin", "boot/efi.img"], entries.Select(entry => entry.Path!));
        Assert.Equal([0, 0xEF], entries.Select(entry => (int)entry.Platform));
        Assert.All(entries, entry => Assert.True(entry.Bootable));
        byte[] patched = reader.ReadAll(reader.Find("isolinux/isolinux.bin")!, 1_000_000);
        Assert.Equal(16u, BitConverter.ToUInt32(patched, 8));
        Assert.Equal(entries[0].Offset / 2048, BitConverter.ToUInt32(patched, 12));
        Assert.Equal(patched.Length, BitConverter.ToInt32(patched, 16));
    }

    [Fact]
    public async Task EfiOnly_IsTheFirstEntry()
    {
        using var stream = new MemoryStream();
        await IsoWriter.WriteAsync(Tree(), Options(new IsoBoot { EfiImage = "boot/efi.img", Hybrid = true }), stream);
        using var reader = IsoReader.Open(stream);
        IsoBootEntry entry = Assert.Single(reader.BootEntries());
        Assert.Equal(("boot/efi.img", (byte)0xEF), (entry.Path, entry.Platform));
    }

    [Theory]
    [InlineData("nowhere", "isolinux/boot.cat", "is not in the tree")]
    [InlineData("isolinux/isolinux.bin", "other", "choose another CatalogPath")]
    [InlineData("isolinux/isolinux.bin", "none/boot.cat", "is not in the tree")]
    [InlineData("isolinux", "boot.cat", "must be a file with content")]
    public async Task BadBoot_IsRefused(string bios, string catalog, string message)
    {
        IsoBoot boot = new() { BiosImage = bios, CatalogPath = catalog };
        var error = await Assert.ThrowsAsync<MediaException>(() => IsoWriter.WriteAsync(Tree(), Options(boot), new MemoryStream()));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongMbr_IsRefused()
    {
        IsoBoot boot = Hybrid with { HybridMbr = new byte[100] };
        var error = await Assert.ThrowsAsync<MediaException>(() => IsoWriter.WriteAsync(Tree(), Options(boot), new MemoryStream()));
        Assert.Contains("expected the 432 of isohdpfx.bin (package isolinux)", error.Message, StringComparison.Ordinal);
    }
}
