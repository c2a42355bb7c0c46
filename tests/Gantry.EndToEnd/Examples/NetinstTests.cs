using System.Security.Cryptography;
using System.Text.Json;
using Gantry.EndToEnd.Builds;

namespace Gantry.EndToEnd.Examples;

/// <summary>
/// <c>examples/debian-netinst</c> as far as a mirror without the installer's own packages lets it: Debian's installer is
/// started by the typed command, takes the preseed file, and finds the mirror good.
/// </summary>
[Collection("examples")]
[Trait("Category", "Long")] // fetches 130 MB, and the installer takes minutes on the way
public sealed class NetinstTests(ExampleHome home) : IClassFixture<ExampleHome>
{
    private const string Version = "12.11.0";
    private const string Package = "debian-installer-12-netboot-amd64";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Images => Path.Combine(home.Folder, "images");

    [Fact]
    public async Task DebiansInstaller_TakesThePreseedFile_AndGoesToTheMirror()
    {
        await MakeIsoAsync();
        var host = new Uri(await DebianMirror.FindAsync(home.Folder)).Host;
        using (var build = new ChildProcess(
            ExampleScript.Gantry,
            ["build", "-var", $"images={Images}", "-var", $"mirror_host={host}", ExampleScript.PathOf("debian-netinst")],
            new Dictionary<string, string> { ["GANTRY_HOME"] = home.Folder, ["NO_COLOR"] = "1" }))
        {
            await build.WaitForAsync("GET /preseed.cfg 200", Token);
            var (list, _) = await home.GantryAsync("list", "-o", "json");
            using var machines = JsonDocument.Parse(list);
            var name = Assert.Single(machines.RootElement.EnumerateArray()).GetProperty("name").GetString()!;
            // Only after it has read the mirror's own list, and found its signature good.
            await home.GantryAsync("wait", name, "--for", "serial:Loading additional components", "--timeout", "10m");
            build.InterruptIt();
            Assert.Equal(130, await build.WaitAsync(Token));
        }

        var (left, _) = await home.GantryAsync("list", "-o", "json");
        Assert.Equal("[]", left.Trim());
    }

    /// <summary>The installer's kernel and initramfs as Debian packages them, on an ISO that starts as Debian's do.</summary>
    private async Task MakeIsoAsync()
    {
        await ExampleScript.RunAsync(home.Folder, "/usr/bin/apt-get", "download", Package);
        var package = Assert.Single(Directory.GetFiles(home.Folder, Package + "*.deb"));
        var unpacked = Path.Combine(home.Folder, "unpacked");
        await ExampleScript.RunAsync(home.Folder, "/usr/bin/dpkg-deb", "-x", package, unpacked);
        var text = Path.Combine(unpacked, "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64");
        var tree = Path.Combine(home.Folder, "tree");
        foreach (var folder in (string[])["isolinux", "install.amd"])
            Directory.CreateDirectory(Path.Combine(tree, folder));
        File.Copy(Path.Combine(text, "linux"), Path.Combine(tree, "install.amd/vmlinuz"));
        File.Copy(Path.Combine(text, "initrd.gz"), Path.Combine(tree, "install.amd/initrd.gz"));
        File.Copy("/usr/lib/ISOLINUX/isolinux.bin", Path.Combine(tree, "isolinux/isolinux.bin"));
        foreach (var module in (string[])["ldlinux", "menu", "libcom32", "libutil"])
            File.Copy($"/usr/lib/syslinux/modules/bios/{module}.c32", Path.Combine(tree, $"isolinux/{module}.c32"));
        await File.WriteAllTextAsync(Path.Combine(tree, "isolinux/isolinux.cfg"), """
            UI menu.c32
            PROMPT 0
            TIMEOUT 0
            LABEL install
                MENU LABEL ^Install
                KERNEL /install.amd/vmlinuz
                APPEND vga=788 initrd=/install.amd/initrd.gz --- quiet
            LABEL auto
                MENU LABEL ^Automated install
                KERNEL /install.amd/vmlinuz
                APPEND auto=true priority=critical vga=788 initrd=/install.amd/initrd.gz --- quiet

            """, Token);
        Directory.CreateDirectory(Images);
        var iso = Path.Combine(Images, $"debian-{Version}-amd64-netinst.iso");
        await home.GantryAsync("image", "make-iso", "--label", "Debian netinst", "--bios", "isolinux/isolinux.bin", iso, tree);
        await using var file = File.OpenRead(iso);
        var digest = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, Token));
        await File.WriteAllTextAsync(Path.Combine(Images, "SHA256SUMS"), $"{digest}  {Path.GetFileName(iso)}\n", Token);
    }
}
