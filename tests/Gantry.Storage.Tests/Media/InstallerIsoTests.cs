using System.Security.Cryptography;
using System.Text;
using Gantry.Storage.Media;

namespace Gantry.Storage.Tests.Media;

public class InstallerIsoTests
{
    private static readonly DateTimeOffset Time = new(2024, 2, 29, 12, 34, 56, TimeSpan.Zero);
    private const string Isolinux = "default one\nlabel one\n kernel k\n append a\nlabel two\n kernel k\n append b --- c\n";
    private const string Grub = "menuentry One { linux /k a\n}\nmenuentry Two { linux /k b --- c\n}\n";

    private static async Task MakeSource(string path, bool grubInFat = false)
    {
        using var efi = new MemoryStream();
        var fat = new MediaTree().AddFile("EFI/BOOT/BOOTX64.EFI", MediaContent.FromBytes(new byte[50_000]));
        if (grubInFat) fat.AddFile("EFI/BOOT/grub.cfg", MediaContent.FromText(Grub));
        await FatWriter.WriteAsync(fat, new FatOptions { VolumeLabel = "ESP", Timestamp = Time }, efi);
        byte[] isolinux = File.ReadAllBytes("/usr/lib/ISOLINUX/isolinux.bin");
        MediaTree tree = new MediaTree()
            .AddFile("isolinux/isolinux.bin", MediaContent.FromBytes(isolinux))
            .AddFile("isolinux/isolinux.cfg", MediaContent.FromText(Isolinux))
            .AddFile("boot/efi.img", MediaContent.FromBytes(efi.ToArray()))
            .AddFile("boot/grub/grub.cfg", MediaContent.FromText(Grub))
            .AddFile("pool/big", MediaContent.FromBytes(RandomNumberGenerator.GetBytes(100_000)))
            .AddSymlink("stable", "pool")
            .AddFile("empty", MediaContent.FromText(""))
            .AddFile("replaced", MediaContent.FromText("old"));
        // All digests are wrong: a test that finds right ones knows that they were renewed.
        IEnumerable<string> sums = tree.Entries().Where(entry => entry.Node is MediaNode.File)
            .Select(entry => $"{new string('0', 32)}  ./{entry.Path}\n");
        tree.AddFile("md5sum.txt", MediaContent.FromText(string.Concat(sums)));
        var boot = new IsoBoot
        {
            BiosImage = "isolinux/isolinux.bin",
            EfiImage = "boot/efi.img",
            CatalogPath = "isolinux/boot.cat",
            Hybrid = true,
            HybridMbr = File.ReadAllBytes("/usr/lib/ISOLINUX/isohdpfx.bin"),
        };
        var options = new IsoOptions { VolumeLabel = "Test 1.0", Timestamp = Time, Boot = boot };
        await IsoWriter.WriteFileAsync(tree, options, path);
    }

    private static InstallerIsoOptions Options(TemporaryFolder folder) => new()
    {
        Source = folder["in.iso"],
        Target = folder["out.iso"],
        KernelArguments = "auto=true --- console=ttyS0",
        MenuEntry = "two",
        Timestamp = Time,
        Files = new MediaTree()
            .AddFile("preseed.cfg", MediaContent.FromText("d-i"))
            .AddFile("new folder/scripts/run", MediaContent.FromText("#!/bin/sh\n"), MediaModes.Executable)
            .AddSymlink("new folder/link", "scripts/run")
            .AddFile("replaced", MediaContent.FromText("new")),
    };

    [Fact]
    public async Task Remaster_ChangesMenusAndFiles_AndKeepsHowItBoots()
    {
        using var folder = new TemporaryFolder();
        await MakeSource(folder["in.iso"]);
        InstallerIsoResult result = await InstallerIso.RemasterAsync(Options(folder));
        Assert.Equal(
            ["isolinux/isolinux.cfg:two", "boot/grub/grub.cfg:Two"],
            result.Entries.Select(entry => $"{entry.Path}:{entry.Name}"));
        Assert.Equal(
            ["boot/grub/grub.cfg", "isolinux/isolinux.cfg", "md5sum.txt", "replaced"], result.ChangedFiles.Order(StringComparer.Ordinal));

        using IsoReader reader = IsoReader.OpenFile(folder["out.iso"]);
        Assert.Equal(("Test 1.0", true), (reader.VolumeLabel, reader.HasJoliet));
        Assert.Contains("append b auto=true --- c console=ttyS0\n", Text(reader, "isolinux/isolinux.cfg"),
            StringComparison.Ordinal);
        Assert.Contains("linux /k b auto=true --- c console=ttyS0\n", Text(reader, "boot/grub/grub.cfg"),
            StringComparison.Ordinal);
        Assert.Equal("new", Text(reader, "replaced"));
        Assert.Equal("#!/bin/sh\n", Text(reader, "new folder/link"));
        Assert.Equal(MediaModes.Executable, reader.Find("new folder/scripts/run")!.Permissions);
        Assert.Equal((0u, Time), (reader.Find("preseed.cfg")!.Uid, reader.Find("preseed.cfg")!.ModifiedAt));
        Assert.Equal("", Text(reader, "empty"));
        Assert.Equal("pool", reader.Find("stable", followLast: false)!.LinkTarget);

        string report = Oracle.Run("xorriso", "-indev", folder["out.iso"], "-report_system_area", "plain",
            "-report_el_torito", "plain");
        Assert.Contains("MBR isohybrid cyl-align-on GPT", report, StringComparison.Ordinal);
        Assert.Matches("GPT partition path :   2  /boot/efi.img", report);
        Assert.Matches("MBR partition path :   2  /boot/efi.img", report);
        Assert.Matches("El Torito img opts :   1  boot-info-table isohybrid-suitable", report);
        Assert.Matches("El Torito img path :   2  /boot/efi.img", report);
        Assert.Equal(2, Directory.GetFileSystemEntries(folder.Path).Length);
    }

    [Fact]
    public async Task Remaster_RenewsChecksums_AlsoOfTheBootImage()
    {
        using var folder = new TemporaryFolder();
        await MakeSource(folder["in.iso"]);
        await InstallerIso.RemasterAsync(Options(folder));
        Oracle.Run("xorriso", "-osirrox", "on", "-indev", folder["out.iso"], "-extract", "/", folder["files"]);
        string[] lines = File.ReadAllLines(folder["files/md5sum.txt"]);
        Assert.Equal(9, lines.Length);
        string[] renewed = [.. lines.Where(line => line[0] != '0')
            .Select(line => line[34..]).Order(StringComparer.Ordinal)];
        Assert.Equal(
            ["./boot/efi.img", "./boot/grub/grub.cfg", "./isolinux/isolinux.bin", "./isolinux/isolinux.cfg", "./new folder/scripts/run", "./preseed.cfg", "./replaced"],
            renewed);
        File.WriteAllLines(folder["files/md5sum.txt"], lines.Where(line => line[0] != '0'));
        Oracle.RunIn(folder["files"], "md5sum", "--quiet", "--strict", "-c", "md5sum.txt");
    }

    [Fact]
    public async Task Remaster_SameInput_SameBytes()
    {
        using var folder = new TemporaryFolder();
        await MakeSource(folder["in.iso"]);
        await InstallerIso.RemasterAsync(Options(folder));
        await InstallerIso.RemasterAsync(Options(folder) with { Target = folder["again.iso"] });
        Assert.Equal(File.ReadAllBytes(folder["out.iso"]), File.ReadAllBytes(folder["again.iso"]));
    }

    [Fact]
    public async Task Remaster_MenuInsideTheEfiImage_IsChangedThere()
    {
        using var folder = new TemporaryFolder();
        await MakeSource(folder["in.iso"], grubInFat: true);
        InstallerIsoResult result = await InstallerIso.RemasterAsync(Options(folder));
        Assert.Contains(result.Entries, entry => entry.Path == "boot/efi.img:EFI/BOOT/grub.cfg");
        Assert.Contains("boot/efi.img", result.ChangedFiles);
        using IsoReader reader = IsoReader.OpenFile(folder["out.iso"]);
        using FatReader fat = FatReader.Open(reader.OpenRead("boot/efi.img"));
        string config = Encoding.UTF8.GetString(fat.ReadAll(fat.Find("EFI/BOOT/grub.cfg")!, 10_000));
        Assert.Contains("linux /k b auto=true --- c console=ttyS0\n", config, StringComparison.Ordinal);
        Assert.Equal(50_000, fat.Find("EFI/BOOT/BOOTX64.EFI")!.Length);
    }

    [Fact]
    public async Task Remaster_ReplacedBootImage_IsRefused()
    {
        using var folder = new TemporaryFolder();
        await MakeSource(folder["in.iso"]);
        MediaTree files = new MediaTree().AddFile("boot/efi.img", MediaContent.FromText("x"));
        var options = Options(folder) with { Files = files };
        var error = await Assert.ThrowsAsync<MediaException>(() => InstallerIso.RemasterAsync(options));
        Assert.Contains("'boot/efi.img' is what the image boots from", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Remaster_UnknownEntry_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        await MakeSource(folder["in.iso"]);
        var error = await Assert.ThrowsAsync<MediaException>(() => InstallerIso.RemasterAsync(Options(folder) with { MenuEntry = "three" }));
        Assert.Contains("no menu entry 'three'; it has: one, two", error.Message, StringComparison.Ordinal);
        Assert.Equal([folder["in.iso"]], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Remaster_Cancelled_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        await MakeSource(folder["in.iso"]);
        using var cancel = new CancellationTokenSource();
        Stream CancelThenOpen()
        {
            cancel.Cancel();
            return new MemoryStream(new byte[10]);
        }
        MediaTree files = new MediaTree().AddFile("f", MediaContent.FromFactory(10, CancelThenOpen));
        var options = Options(folder) with { Files = files };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => InstallerIso.RemasterAsync(options, null, cancel.Token));
        Assert.Equal([folder["in.iso"]], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Xorriso_Missing_NamesThePackage()
    {
        var error = await Assert.ThrowsAsync<MediaException>(() => Xorriso.RunAsync([], Time, null, default, "xorriso-that-is-not-there"));
        Assert.Contains("apt-get install xorriso", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Xorriso_Failing_GivesItsLastLines()
    {
        var error = await Assert.ThrowsAsync<MediaException>(() => Xorriso.RunAsync(["-no_rc", "-no_such_command"], Time, null, default));
        Assert.Contains("no_such_command", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ImageWithoutMenu_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var tree = new MediaTree().AddFile("x", MediaContent.FromText("x"));
        await IsoWriter.WriteFileAsync(tree, new IsoOptions { VolumeLabel = "X", Timestamp = Time }, folder["in.iso"]);
        var error = await Assert.ThrowsAsync<MediaException>(() => InstallerIso.RemasterAsync(Options(folder)));
        Assert.Contains("has no boot menu", error.Message, StringComparison.Ordinal);
    }

    private static string Text(IsoReader reader, string path)
    {
        using var text = new StreamReader(reader.OpenRead(path));
        return text.ReadToEnd();
    }
}
