using Gantry.Storage.Media;

namespace Gantry.EndToEnd.Media;

/// <summary>
/// An installer image with isolinux for BIOS and GRUB for EFI, from Debian's packages, and a remastered one. Its menus
/// wait for ever, so that only a remastered image goes on by itself.
/// </summary>
public sealed class BootableImages : IAsyncLifetime
{
    private const string Syslinux = "/usr/lib/syslinux/modules/bios/";
    private static readonly DateTimeOffset Time = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-images-");

    public string Original => Path.Combine(_folder.FullName, "original.iso");

    public string Remastered => Path.Combine(_folder.FullName, "remastered.iso");

    // cat.c32 prints the files that its arguments name: the added argument shows its file, without a kernel.
    private const string Isolinux = """
        serial 0 115200
        default menu.c32
        prompt 0
        timeout 0
        menu title Installer
        label first
          menu label ^First entry
          kernel cat.c32
          append first.txt
        label second
          menu label ^Second entry
          kernel cat.c32
          append second.txt ---
        """;

    private const string Grub = """
        echo grub-is-here
        set timeout=-1
        menuentry "First entry" {
            echo entry-first-chosen
            sleep 60
        }
        submenu "More" {
            menuentry "Second entry" {
                echo entry-second-chosen
                linux /missing-kernel second ---
                sleep 60
            }
        }
        """;

    // What is in the EFI image leads to the menu in the ISO, as on Debian's images.
    private const string GrubInEfi = """
        search --file --set=root /boot/grub/grub.cfg
        set prefix=($root)/boot/grub
        configfile ($root)/boot/grub/grub.cfg
        """;

    public async ValueTask InitializeAsync()
    {
        using var efi = new MemoryStream();
        var fat = new MediaTree()
            .AddFile("EFI/BOOT/BOOTX64.EFI", MediaContent.FromFile("/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi"))
            .AddFile("EFI/debian/grub.cfg", MediaContent.FromText(GrubInEfi + "\n"));
        await FatWriter.WriteAsync(fat, new FatOptions { VolumeLabel = "EFI", Timestamp = Time }, efi);

        MediaTree tree = new MediaTree()
            .AddFile("boot/efi.img", MediaContent.FromBytes(efi.ToArray()))
            .AddFile("boot/grub/grub.cfg", MediaContent.FromText(Grub + "\n"))
            .AddFile("isolinux/isolinux.bin", MediaContent.FromFile("/usr/lib/ISOLINUX/isolinux.bin"))
            .AddFile("isolinux/isolinux.cfg", MediaContent.FromText(Isolinux + "\n"))
            .AddFile("isolinux/first.txt", MediaContent.FromText("text-of-first\n"))
            .AddFile("isolinux/second.txt", MediaContent.FromText("text-of-second\n"));
        foreach (string module in new[] { "ldlinux.c32", "libcom32.c32", "libutil.c32", "menu.c32", "cat.c32" })
            tree.AddFile($"isolinux/{module}", MediaContent.FromFile(Syslinux + module));
        var boot = new IsoBoot
        {
            BiosImage = "isolinux/isolinux.bin",
            EfiImage = "boot/efi.img",
            CatalogPath = "isolinux/boot.cat",
            Hybrid = true,
            HybridMbr = await File.ReadAllBytesAsync("/usr/lib/ISOLINUX/isohdpfx.bin"),
        };
        await IsoWriter.WriteFileAsync(
            tree, new IsoOptions { VolumeLabel = "GANTRY TEST", Timestamp = Time, Boot = boot }, Original);
        await InstallerIso.RemasterAsync(new InstallerIsoOptions
        {
            Source = Original,
            Target = Remastered,
            MenuEntry = "second entry",
            KernelArguments = "added.txt",
            Files = new MediaTree().AddFile("isolinux/added.txt", MediaContent.FromText("text-of-added\n")),
            Timestamp = Time,
        });
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
