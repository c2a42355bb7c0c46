using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Gantry.Storage.Media;

namespace Gantry.EndToEnd.Screen;

/// <summary>
/// Small things to boot, made from Debian's packages once and kept under <c>artifacts/test-cache</c>. Needs:
/// isolinux, syslinux-common, xorriso, grub-common, grub-pc-bin, mtools, dpkg, apt.
/// </summary>
internal static class BootMedia
{
    private const string IsolinuxMenu =
        """
        default MENU.c32
        prompt 0
        menu title Gantry test menu
        label install
          menu label ^Install the system
          kernel /vmlinuz
        label rescue
          menu label ^Rescue mode, quietly
          kernel /vmlinuz
        """;

    private const string GrubMenu =
        """
        set timeout=-1
        menuentry 'Install the system' { true }
        menuentry 'Rescue mode, quietly' { true }
        """;

    private const string GrubGraphics =
        """
        insmod all_video
        insmod gfxterm
        loadfont /boot/grub/fonts/unicode.pf2
        set gfxmode=1024x768
        terminal_output gfxterm

        """;

    private const string Init =
        """
        #!/bin/busybox sh
        /bin/busybox mount -t devtmpfs dev /dev
        exec /bin/busybox sh -c 'echo "The quick brown fox 0123456789 {[(<|>)]}"; exec /bin/busybox sh' \
          </dev/tty1 >/dev/tty1 2>&1

        """;

    private static readonly Lock Gate = new();

    /// <summary>A CD with isolinux and one of its menus, <c>menu</c> or <c>vesamenu</c>.</summary>
    public static string Isolinux(string menu) => Make($"isolinux-{menu}.iso", (folder, iso) =>
    {
        var files = Directory.CreateDirectory(Path.Combine(folder, "isolinux")).FullName;
        File.Copy("/usr/lib/ISOLINUX/isolinux.bin", Path.Combine(files, "isolinux.bin"));
        foreach (var module in (string[])["ldlinux", "libcom32", "libutil", menu])
            File.Copy($"/usr/lib/syslinux/modules/bios/{module}.c32", Path.Combine(files, $"{module}.c32"));
        File.WriteAllText(
            Path.Combine(files, "isolinux.cfg"), IsolinuxMenu.Replace("MENU", menu, StringComparison.Ordinal));
        Run("xorriso", "-as", "mkisofs", "-quiet", "-o", iso, "-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat",
            "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", folder);
    });

    /// <summary>A CD with GRUB for BIOS, on the text console or on gfxterm.</summary>
    public static string Grub(bool graphics) => Make($"grub-{(graphics ? "gfxterm" : "text")}.iso", (folder, iso) =>
    {
        var files = Directory.CreateDirectory(Path.Combine(folder, "boot/grub/fonts")).FullName;
        File.Copy("/usr/share/grub/unicode.pf2", Path.Combine(files, "unicode.pf2"));
        File.WriteAllText(
            Path.Combine(folder, "boot/grub/grub.cfg"),
            (graphics ? GrubGraphics : "terminal_output console\n") + GrubMenu);
        Run("grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "-o", iso, folder);
    });

    /// <summary>A disk that UEFI starts GRUB from, on the firmware's text console or on gfxterm.</summary>
    public static string GrubEfi(bool graphics) => Make($"grub-efi-{(graphics ? "gfxterm" : "text")}.img", (_, image) =>
    {
        var menu = graphics
            ? GrubGraphics.Replace("/boot/grub/fonts/", "/EFI/debian/", StringComparison.Ordinal) : "terminal_output console\n";
        var tree = new MediaTree()
            .AddFile("EFI/BOOT/BOOTX64.EFI", MediaContent.FromFile("/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi"))
            .AddFile("EFI/debian/unicode.pf2", MediaContent.FromFile("/usr/share/grub/unicode.pf2"))
            .AddFile("EFI/debian/grub.cfg", MediaContent.FromText(menu + GrubMenu + "\n"));
        FatWriter.WriteFileAsync(tree, new FatOptions { VolumeLabel = "GRUB", Timestamp = DateTimeOffset.UnixEpoch.AddYears(30) }, image)
            .GetAwaiter().GetResult();
    });

    /// <summary>Debian's ordinary kernel for x86_64; the cloud kernel has no frame buffer console.</summary>
    public static string Kernel() => Make("vmlinuz", (folder, target) =>
    {
        var names = Output("apt-cache", "depends", "--important", "linux-image-amd64");
        var name = names.Split('\n').Select(l => l.Trim()).First(l => l.StartsWith("Depends:", StringComparison.Ordinal));
        var data = Unpack(folder, name["Depends:".Length..].Trim());
        File.Copy(Directory.GetFiles(Path.Combine(data, "boot"), "vmlinuz-*").Single(), target);
    });

    /// <summary>An initial RAM disk with a shell on the first virtual console.</summary>
    public static string Initramfs() => Make("initrd.gz", (folder, target) =>
    {
        var data = Unpack(folder, "busybox-static");
        using var file = File.Create(target);
        using var gzip = new GZipStream(file, CompressionLevel.Fastest);
        Entry(gzip, "bin", 0x41ed, []);
        Entry(gzip, "dev", 0x41ed, []);
        Entry(gzip, "bin/busybox", 0x81ed, File.ReadAllBytes(Path.Combine(data, "bin/busybox")));
        Entry(gzip, "init", 0x81ed, Encoding.ASCII.GetBytes(Init.ReplaceLineEndings("\n")));
        Entry(gzip, "TRAILER!!!", 0, []);
    });

    /// <summary>A writable copy of a firmware's variables.</summary>
    public static string CopyOf(string path, string folder)
    {
        var copy = Path.Combine(folder, Path.GetFileName(path));
        File.Copy(path, copy, overwrite: true);
        return copy;
    }

    private static string Make(string name, Action<string, string> make)
    {
        lock (Gate)
        {
            var cache = Directory.CreateDirectory(Path.Combine(Root(), "artifacts", "test-cache", "screen")).FullName;
            var target = Path.Combine(cache, name);
            if (File.Exists(target))
                return target;
            var folder = Directory.CreateTempSubdirectory("gantry-media-");
            try
            {
                var half = target + ".part";
                File.Delete(half);
                make(folder.FullName, half);
                File.Move(half, target);
                return target;
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
    }

    private static string Unpack(string folder, string package)
    {
        Run("sh", "-c", $"cd '{folder}' && apt-get download -q '{package}' && dpkg -x {package}_*.deb root");
        return Path.Combine(folder, "root");
    }

    /// <summary>One entry of a cpio archive in the form that the kernel takes ("newc").</summary>
    private static void Entry(Stream archive, string name, int mode, byte[] content)
    {
        int[] fields = [0, mode, 0, 0, 1, 0, content.Length, 0, 0, 0, 0, name.Length + 1, 0];
        var head = "070701" + string.Concat(fields.Select(f => f.ToString("x8"))) + name + "\0";
        archive.Write(Encoding.ASCII.GetBytes(head.PadRight((head.Length + 3) / 4 * 4, '\0')));
        archive.Write(content);
        archive.Write(new byte[(4 - (content.Length % 4)) % 4]);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Gantry.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("the tests run outside of the source tree");
    }

    private static void Run(string program, params string[] arguments) => Output(program, arguments);

    private static string Output(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} failed: {errors.GetAwaiter().GetResult()}");
    }
}
