using System.Text;
using CsCheck;
using Gantry.Storage.Media;

namespace Gantry.Storage.Tests.Media;

public class GrubMenuTests
{
    private const string Main = """
        if [ x$feature_default_font_path = xy ] ; then
           font=unicode
        fi
        set color="a;b{c}" # not a block: {
        insmod play
        menuentry --hotkey=g 'Graphical install' {
            set background_color=black
            linux    /install/vmlinuz vga=788 --- quiet
            initrd   /install/gtk.gz
        }
        menuentry "Install" --class debian --id "inst" {
            if [ -n "${x}" ]; then linux /install/other; fi
            linux    /install/vmlinuz vga=788 \
                     --- quiet # a comment
            initrd   /install/initrd
        }
        submenu 'Advanced > more' {
            menuentry 'Expert' { linux /install/vmlinuz ; initrd /i; }
            menuentry $"Rescue ${x}" $menuentry_id_option 'rescue' { linux /r
            }
        }
        """;

    private static (string Title, Dictionary<string, string> Files) Apply(
        Dictionary<string, string> files, string? entry, string arguments)
    {
        var menu = GrubMenu.Parse(
            files.Keys.First(),
            path => files.TryGetValue(path, out string? text) ? Encoding.UTF8.GetBytes(text) : null)!;
        string title = menu.Apply(entry, "Expert", KernelArguments.Parse(arguments), TimeSpan.FromMilliseconds(1));
        return (title, menu.Files.ToDictionary(file => file.Path, file => Encoding.UTF8.GetString(file.ToBytes())));
    }

    private static GrubMenu? Parse(string text) =>
        GrubMenu.Parse("grub.cfg", path => path == "grub.cfg" ? Encoding.UTF8.GetBytes(text) : null);

    private static string ApplyMain(string? entry, string arguments) =>
        Apply(new() { ["boot/grub/grub.cfg"] = Main }, entry, arguments).Files["boot/grub/grub.cfg"];

    private static string End(string path) => $"\nset default={path}\nset timeout_style=menu\nset timeout=1\n";

    [Fact]
    public void EntryWithId_GetsArgumentsInEveryKernelLine() =>
        Assert.Equal(
            Main.Replace("linux /install/other;", "linux /install/other a=b --- c;", StringComparison.Ordinal)
                .Replace("--- quiet # a", "a=b --- quiet c # a", StringComparison.Ordinal) + End("inst"),
            ApplyMain("install", "a=b --- c"));

    [Fact]
    public void NoName_TakesTheFirstEntry_AndGivesItAnId() =>
        Assert.Equal(
            Main.Replace("'Graphical install' {", "'Graphical install' --id gantry {", StringComparison.Ordinal)
                .Replace(
                    "vga=788 --- quiet\n    initrd   /install/gtk",
                    "vga=788 'ds=nocloud;s=http://x/' --- quiet\n    initrd   /install/gtk",
                    StringComparison.Ordinal)
            + End("gantry"),
            ApplyMain(null, "ds=nocloud;s=http://x/"));

    [Fact]
    public void EntryInASubmenu_IsCalledByItsPath() =>
        Assert.Equal(
            Main.Replace("'Advanced > more' {", "'Advanced > more' --id gantry-menu-1 {", StringComparison.Ordinal)
                .Replace(
                    "'Expert' { linux /install/vmlinuz ;",
                    "'Expert' --id gantry { linux /install/vmlinuz 'x= a  b' ;",
                    StringComparison.Ordinal)
            + End("'gantry-menu-1>gantry'"),
            ApplyMain("EXPERT", "x=\" a  b\""));

    [Fact]
    public void EntryByItsId_IsFound() =>
        Assert.EndsWith(End("'gantry-menu-1>rescue'"), ApplyMain("rescue", ""), StringComparison.Ordinal);

    [Theory]
    [InlineData("1", "Install")]
    [InlineData("inst", "Install")]
    [InlineData("'Advanced > more>0'", "Graphical install")]
    [InlineData("\"2>0\"", "Expert")]
    [InlineData("\"${saved}\"", "Graphical install")]
    public void NoName_TakesWhatSetDefaultNames(string value, string title) =>
        Assert.Equal(title, Apply(new() { ["grub.cfg"] = $"set default={value}\n{Main}" }, null, "").Title);

    [Fact]
    public void SourcedFiles_ArePartOfTheMenu_AndConfigfilesHaveTheLastWord()
    {
        var files = new Dictionary<string, string>
        {
            ["boot/grub/grub.cfg"] = "source $prefix/one.cfg\nconfigfile ($root)/boot/two.cfg",
            ["boot/grub/one.cfg"] = "menuentry One { linux /k }\n",
            ["boot/two.cfg"] = "menuentry Two {\r\n  linux /k\r\n}\r\n",
        };
        (_, Dictionary<string, string> after) = Apply(files, "two", "x");
        Assert.Equal(files["boot/grub/one.cfg"], after["boot/grub/one.cfg"]);
        Assert.Equal(
            "menuentry Two --id gantry {\r\n  linux /k x\r\n}\r\nset default=gantry\r\n"
            + "set timeout_style=menu\r\nset timeout=1\r\n",
            after["boot/two.cfg"]);
        Assert.Equal(files["boot/grub/grub.cfg"] + End("gantry"), after["boot/grub/grub.cfg"]);
    }

    [Fact]
    public void DotsBeforeATitle_AndTheOtherMenusName_AreOverlooked()
    {
        var files = new Dictionary<string, string> { ["grub.cfg"] = "menuentry '... Expert' { linux /k\n}\n" };
        Assert.Equal("... Expert", Apply(files, "expert", "").Title);
        Assert.Equal("... Expert", Apply(files, "label-in-isolinux", "").Title);
    }

    [Fact]
    public void UnknownEntry_IsRefusedWithTheNames() =>
        Assert.Contains(
            "it has: Graphical install, Install, Expert, Rescue ${x}",
            Assert.Throws<MediaException>(() => Parse(Main)!.Apply(
                "nonsense", null, KernelArguments.Parse(""), TimeSpan.FromSeconds(1))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("menuentry a {\n linux b\n", "line 3 has a '{' without its '}'")]
    [InlineData("set a='b\n", "a quote without its end")]
    [InlineData("}\n", "a '}' without its '{'")]
    public void BrokenScript_IsRefusedWithTheLine(string text, string message) =>
        Assert.Contains(message, Assert.Throws<MediaException>(() => GrubScriptParser.Parse(text, "grub.cfg")).Message,
            StringComparison.Ordinal);

    [Fact]
    public void RandomScript_IsParsedOrRefused() =>
        Gen.Char["{}'\"$\\\n #;ab menuentry linux"].Array[0, 60].Select(chars => new string(chars)).Sample(
            text =>
            {
                try
                {
                    GrubMenu.Parse("grub.cfg", path => path == "grub.cfg" ? Encoding.UTF8.GetBytes(text) : null)
                        ?.Apply(null, null, KernelArguments.Parse(""), TimeSpan.FromSeconds(1));
                }
                catch (MediaException)
                {
                }
            },
            iter: 5000);

    [Fact]
    public void RealGrub_AcceptsTheResult()
    {
        using var folder = new TemporaryFolder();
        foreach (string entry in new[] { "Install", "Expert", "Graphical install" })
        {
            File.WriteAllText(folder["grub.cfg"], ApplyMain(entry, "ds=nocloud;s=http://x/ a=\"b 'c'\" --- d"));
            Oracle.Run("grub-script-check", folder["grub.cfg"]);
        }
    }
}
