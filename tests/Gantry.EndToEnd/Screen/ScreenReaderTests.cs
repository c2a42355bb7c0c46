using System.Diagnostics;
using Gantry.Engines.Keyboard;
using Gantry.Engines.Screen;
using Gantry.Imaging.BootCommand;

namespace Gantry.EndToEnd.Screen;

/// <summary>Boots what a person would see first on a machine, and reads its screen.</summary>
[Collection("screen and keyboard")]
public sealed class ScreenReaderTests
{
    private const string Fox = "The quick brown fox 0123456789 {[(<|>)]}";

    [Fact]
    public async Task Isolinux_Menu_IsReadFromTextMemory()
    {
        await using var guest = await PcAsync("-cdrom", BootMedia.Isolinux("menu"));
        var reader = new QemuScreenReader(guest.Monitor, hasTextMemory: true);
        var screen = await WaitForAsync(reader, "Press [Tab] to edit options");
        Assert.True(screen.Contains("Install the system Rescue mode, quietly"), screen.ToString());
        Assert.Equal(ScreenSource.TextMemory, screen.Source);
        Assert.Contains(screen.Rows, r => r.TrimEnd().EndsWith("─┐", StringComparison.Ordinal));
        // The picture alone gives the same.
        var glyphs = await new QemuScreenReader(guest.Monitor, hasTextMemory: false).ReadAsync(CancellationToken.None);
        Assert.True(glyphs.Contains("Install the system Rescue mode, quietly"), glyphs.ToString());
    }

    [Fact]
    public async Task Isolinux_VesaMenu_IsReadFromThePicture()
    {
        await using var guest = await PcAsync("-cdrom", BootMedia.Isolinux("vesamenu"));
        var screen = await WaitForAsync(new QemuScreenReader(guest.Monitor, true), "Press [Tab] to edit options");
        Assert.True(screen.Contains("Install the system Rescue mode, quietly"), screen.ToString());
        Assert.True(screen.Contains("Press [Tab] to edit options"), screen.ToString());
        Assert.Equal(ScreenSource.Glyphs, screen.Source);
    }

    [Theory]
    [InlineData(false, ScreenSource.TextMemory)]
    [InlineData(true, ScreenSource.Glyphs)]
    public async Task Grub_TextAndGfxterm_AreRead(bool graphics, ScreenSource source)
    {
        await using var guest = await PcAsync("-cdrom", BootMedia.Grub(graphics));
        var screen = await WaitForAsync(new QemuScreenReader(guest.Monitor, true), "Rescue mode, quietly");
        Assert.True(screen.Contains("*Install the system"), screen.ToString());
        Assert.True(screen.Contains("Press enter to boot the selected OS, `e' to edit the commands"), screen.ToString());
        Assert.Equal(source, screen.Source);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Grub_TextAndGfxterm_OnUefi_AreRead(bool graphics)
    {
        await using var guest = await OvmfAsync(
            "-drive", $"if=none,id=boot,format=raw,readonly=on,file={BootMedia.GrubEfi(graphics)}",
            "-device", "virtio-blk-pci,drive=boot,bootindex=1");
        var screen = await WaitForAsync(new QemuScreenReader(guest.Monitor, true), "Rescue mode, quietly");
        Assert.True(screen.Contains("*Install the system"), screen.ToString());
        Assert.True(screen.Contains("to boot the selected OS, `e' to edit the commands"), screen.ToString());
        Assert.Equal(ScreenSource.Glyphs, screen.Source);
    }

    [Theory]
    [InlineData("quiet", ScreenSource.TextMemory)]
    [InlineData("quiet vga=791", ScreenSource.Glyphs)]
    public async Task Linux_VgaConsoleAndFrameBuffer_AreReadAndTypedAt(string arguments, ScreenSource source)
    {
        await using var guest = await PcAsync(
            "-kernel", BootMedia.Kernel(), "-initrd", BootMedia.Initramfs(), "-append", arguments);
        var reader = new QemuScreenReader(guest.Monitor, true);
        var screen = await WaitForAsync(reader, Fox);
        Assert.Equal(source, screen.Source);
        await TypeAsync(guest, reader, "<waitFor '#' 60s>echo \"It's $((6*7)): {~}\"<enter><waitFor \"It's 42: {~}\" 60s>");
    }

    [Fact]
    public async Task Ovmf_Shell_IsReadAndTypedAt()
    {
        await using var guest = await OvmfAsync();
        var reader = new QemuScreenReader(guest.Monitor, true);
        await WaitForAsync(reader, "UEFI Interactive Shell");
        await TypeAsync(guest, reader,
            "<waitFor 'seconds to skip startup.nsh' 60s><esc><waitFor 'Shell>' 60s>" +
            "echo Hello_{42}<enter><waitFor \"Hello_{42} Shell>\" 60s>");
    }

    [Fact]
    public async Task Linux_OnUefiFrameBuffer_IsRead()
    {
        await using var guest = await OvmfAsync(
            "-kernel", BootMedia.Kernel(), "-initrd", BootMedia.Initramfs(), "-append", "quiet");
        var screen = await WaitForAsync(new QemuScreenReader(guest.Monitor, true), Fox);
        Assert.Equal(ScreenSource.Glyphs, screen.Source);
    }

    [Theory]
    [InlineData("ramfb")]
    [InlineData("virtio-gpu-pci")]
    public async Task Aavmf_Shell_IsReadAndTypedAt(string display)
    {
        await using var guest = await Guest.StartAsync(
            "aarch64", "-M", "virt", "-cpu", "cortex-a57", "-m", "256", "-nodefaults",
            "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/AAVMF/AAVMF_CODE.fd",
            "-drive", "if=pflash,unit=1,format=raw,snapshot=on,file=/usr/share/AAVMF/AAVMF_VARS.fd",
            "-device", display, "-device", "qemu-xhci", "-device", "usb-kbd");
        var reader = new QemuScreenReader(guest.Monitor, hasTextMemory: false);
        await WaitForAsync(reader, "UEFI Interactive Shell");
        await TypeAsync(guest, reader,
            "<waitFor 'seconds to skip startup.nsh' 60s><esc><waitFor 'Shell>' 60s>" +
            "echo Hello_{42}<enter><waitFor \"Hello_{42} Shell>\" 60s>");
    }

    [Fact]
    public async Task Screenshot_IsAPng()
    {
        await using var guest = await PcAsync();
        var reader = new QemuScreenReader(guest.Monitor, true);
        await WaitForAsync(reader, "SeaBIOS");
        var png = await reader.ScreenshotAsync(CancellationToken.None);
        Assert.Equal([0x89, 0x50, 0x4e, 0x47], png[..4]);
    }

    [Fact]
    public async Task NoDisplay_GivesNothing()
    {
        await using var guest = await Guest.StartAsync("x86_64", "-M", "none", "-nodefaults");
        var screen = await new QemuScreenReader(guest.Monitor, true).ReadAsync(CancellationToken.None);
        Assert.Equal(ScreenSource.None, screen.Source);
    }

    private static Task<Guest> PcAsync(params string[] arguments) => Guest.StartAsync(
        "x86_64", ["-M", "pc", "-m", "256", "-nodefaults", "-vga", "std", .. arguments]);

    private static Task<Guest> OvmfAsync(params string[] arguments) => Guest.StartAsync(
        "x86_64",
        [
            "-M", "q35", "-m", "512", "-nodefaults", "-vga", "std",
            "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
            "-drive", "if=pflash,unit=1,format=raw,snapshot=on,file=/usr/share/OVMF/OVMF_VARS_4M.fd",
            .. arguments,
        ]);

    private static async Task<ScreenText> WaitForAsync(QemuScreenReader reader, string text)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var screen = await reader.ReadAsync(CancellationToken.None);
            if (screen.Contains(text))
                return screen;
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(120))
                Assert.Fail($"expected '{text}', the screen shows:\n{screen}");
            await Task.Delay(100, CancellationToken.None);
        }
    }

    private static async Task TypeAsync(Guest guest, QemuScreenReader reader, string command)
    {
        var script = BootCommandScript.Parse([command], new TemplateScope());
        Assert.Empty(script.Diagnostics);
        using var keyboard = await GuestKeyboard.OpenAsync(guest.Monitor);
        await new Typist(keyboard, reader, null).RunAsync(script, CancellationToken.None);
    }
}
