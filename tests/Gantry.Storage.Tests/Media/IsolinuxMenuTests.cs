using System.Text;
using Gantry.Storage.Media;

namespace Gantry.Storage.Tests.Media;

public class IsolinuxMenuTests
{
    // The shape of Debian's: a menu program as default, everything else in included files, a submenu.
    private static Dictionary<string, string> DebianLike() => new()
    {
        ["isolinux/isolinux.cfg"] = "# made by a builder\npath \ninclude menu.cfg\ndefault vesamenu.c32\nprompt 0\ntimeout 0\n",
        ["isolinux/menu.cfg"] =
            "menu title Installer\ninclude gtk.cfg\ninclude txt.cfg\nmenu begin advanced\n    menu label ^Advanced\n"
            + "\tinclude adv.cfg\nmenu end\nlabel help\n\tmenu label ^Help\n\ttext help\n   label fake\n"
            + "   append nothing\n\tendtext\n\tconfig prompt.cfg\ntimeout 300\nontimeout /install/vmlinuz speakup=soft "
            + "initrd=/install/initrd\n",
        ["isolinux/gtk.cfg"] =
            "label installgui\n\tmenu label ^Graphical install\n\tmenu default\n\tkernel /install/vmlinuz\n"
            + "\tappend vga=788 initrd=/install/gtk.gz --- quiet \n",
        ["isolinux/txt.cfg"] =
            "label install\r\n\tmenu label ^Install\r\n\tkernel /install/vmlinuz\r\n"
            + "\tappend vga=788 initrd=/install/initrd --- quiet\r\n",
        ["isolinux/adv.cfg"] = "LABEL expert\n  MENU LABEL E^xpert\n  LINUX /install/vmlinuz\n  INITRD /install/initrd\n",
    };

    private static (string Label, Dictionary<string, string> Files) Apply(
        Dictionary<string, string> files, string? entry, string arguments)
    {
        var menu = IsolinuxMenu.Parse(
            files.Keys.First(),
            path => files.TryGetValue(path, out string? text) ? Encoding.UTF8.GetBytes(text) : null)!;
        string label = menu.Apply(entry, KernelArguments.Parse(arguments), TimeSpan.FromSeconds(1));
        return (label, menu.Files.ToDictionary(file => file.Path, file => Encoding.UTF8.GetString(file.ToBytes())));
    }

    [Theory]
    [InlineData("install")]
    [InlineData("Install")]
    [InlineData(" INSTALL ")]
    public void NamedEntry_GetsArgumentsBeforeTheSeparator_AndIsTheDefault(string entry)
    {
        Dictionary<string, string> before = DebianLike();
        (string label, Dictionary<string, string> after) = Apply(before, entry, "auto=true url=http://10.0.2.2/p.cfg");
        Assert.Equal("install", label);
        Assert.Equal(
            "label install\r\n\tmenu default\r\n\tmenu label ^Install\r\n\tkernel /install/vmlinuz\r\n"
            + "\tappend vga=788 initrd=/install/initrd auto=true url=http://10.0.2.2/p.cfg --- quiet\r\n",
            after["isolinux/txt.cfg"]);
        Assert.Equal(before["isolinux/gtk.cfg"].Replace("\tmenu default\n", ""), after["isolinux/gtk.cfg"]);
        Assert.Equal(before["isolinux/adv.cfg"], after["isolinux/adv.cfg"]);
        Assert.Equal(
            before["isolinux/menu.cfg"]
                .Replace("timeout 300", "timeout 10")
                .Replace("ontimeout /install/vmlinuz speakup=soft initrd=/install/initrd", "ontimeout install"),
            after["isolinux/menu.cfg"]);
        Assert.Equal(
            "prompt 0\ntimeout 10\nontimeout install\n" + before["isolinux/isolinux.cfg"]
                .Replace("timeout 0", "timeout 10"),
            after["isolinux/isolinux.cfg"]);
    }

    [Fact]
    public void NoName_TakesTheMenusDefault()
    {
        (string label, Dictionary<string, string> after) = Apply(DebianLike(), null, "a=b --- c=d");
        Assert.Equal("installgui", label);
        Assert.Contains("append vga=788 initrd=/install/gtk.gz a=b --- quiet c=d \n", after["isolinux/gtk.cfg"],
            StringComparison.Ordinal);
    }

    [Fact]
    public void EntryInASubmenu_GetsALineOfItsOwn_AndRunsAtTheTimeout()
    {
        (string label, Dictionary<string, string> after) = Apply(DebianLike(), "expert", "a=b --- c");
        Assert.Equal("expert", label);
        Assert.Equal(
            "LABEL expert\n\tmenu default\n  MENU LABEL E^xpert\n  LINUX /install/vmlinuz\n  append a=b --- c\n  "
            + "INITRD /install/initrd\n",
            after["isolinux/adv.cfg"]);
        Assert.Contains("\tmenu default\n", after["isolinux/gtk.cfg"], StringComparison.Ordinal);
        Assert.StartsWith("prompt 0\ntimeout 10\nontimeout expert\n", after["isolinux/isolinux.cfg"],
            StringComparison.Ordinal);
    }

    [Fact]
    public void PlainMenu_WithDefaultLabelAndGlobalAppend()
    {
        var files = new Dictionary<string, string>
        {
            ["isolinux.cfg"] = "DEFAULT live\nAPPEND quiet\nLABEL live\n  KERNEL vmlinuz\nLABEL other\n  KERNEL vmlinuz\n  APPEND -\n",
        };
        (string first, Dictionary<string, string> asIs) = Apply(files, null, "x");
        Assert.Equal("live", first);
        Assert.Contains("LABEL live\n\tmenu default\n  KERNEL vmlinuz\n  append quiet x\nLABEL other",
            asIs["isolinux.cfg"], StringComparison.Ordinal);
        (_, Dictionary<string, string> other) = Apply(files, "other", "x");
        Assert.Contains("DEFAULT other\n", other["isolinux.cfg"], StringComparison.Ordinal);
        Assert.Contains("  APPEND x\n", other["isolinux.cfg"], StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownEntry_IsRefusedWithTheNames()
    {
        var error = Assert.Throws<MediaException>(() => Apply(DebianLike(), "nonsense", ""));
        Assert.Contains("it has: installgui (Graphical install), install (Install), expert (Expert), help (Help)",
            error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EntryWithoutKernel_TakesNoArguments()
    {
        Assert.Contains("starts no kernel",
            Assert.Throws<MediaException>(() => Apply(DebianLike(), "help", "x")).Message, StringComparison.Ordinal);
        Assert.Equal("help", Apply(DebianLike(), "help", "").Label);
    }

    [Fact]
    public void FilesThatIncludeEachOther_End()
    {
        var files = new Dictionary<string, string>
        {
            ["isolinux.cfg"] = "include a.cfg\nlabel x\n kernel y\n",
            ["a.cfg"] = "include /isolinux.cfg\ninclude a.cfg\ninclude missing.cfg\n",
        };
        Assert.Equal("x", Apply(files, null, "z").Label);
    }
}
