using Gantry.Imaging.Cache;
using Gantry.Imaging.Definitions;
using Gantry.Imaging.Tests.Template;
using Gantry.Model;

namespace Gantry.Imaging.Tests.Cache;

/// <summary>Which changes of a template and its files give other keys, from the template's text on.</summary>
public sealed class LayerKeysTests : IDisposable
{
    private readonly TemplateFolder _one = new();
    private readonly TemplateFolder _two = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public async Task MovedCheckout_HasTheSameKeys()
    {
        foreach (var folder in new[] { _one, _two })
        {
            Directory.CreateDirectory(Path.Combine(folder.Path, "files", "sub"));
            folder.Write("files/sub/a", "content");
            folder.Write("setup.sh", "#!/bin/sh\n");
        }

        const string Build = """
            provisioner "shell" {
                script = "${path.root}/setup.sh"
              }
              provisioner "file" {
                source      = "${path.root}/files"
                destination = "/tmp"
              }
              provisioner "file" {
                source      = "${path.root}/files/"
                destination = "/opt"
              }
              provisioner "shell-local" {
                inline = ["cat ${path.root}/setup.sh"]
                inputs = ["${path.root}/setup.sh"]
              }
            """;
        var first = await KeysAsync(_one, Build);
        Assert.Equal(first, await KeysAsync(_two, Build));
        Assert.All(first, key => Assert.True(key.Cacheable));

        _two.Write("files/sub/a", "other");
        var changed = await KeysAsync(_two, Build);
        Assert.Equal(first[..2], changed[..2]);
        Assert.NotEqual(first[2], changed[2]);
    }

    [Fact]
    public async Task FolderAndItsContent_AreDifferentUploads()
    {
        Directory.CreateDirectory(Path.Combine(_one.Path, "files"));
        _one.Write("files/a", "content");
        static string Upload(string source) => $$"""
            provisioner "file" {
                source      = "${path.root}/{{source}}"
                destination = "/tmp/"
              }
            """;
        Assert.NotEqual((await KeysAsync(_one, Upload("files")))[1], (await KeysAsync(_one, Upload("files/")))[1]);
    }

    [Fact]
    public async Task TimeAndRandomValues_DoNotChangeKeys_AndAreTheChainsOwn()
    {
        const string Build = """
            provisioner "shell" {
                inline = ["echo ${timestamp()} ${uuidv4()} ${local.id}"]
              }
            """;
        var text = "locals {\n  id = uuidv4()\n}\n" + Templates.Source("http_content = { \"/a\" = timestamp() }", Build);
        var first = Assert.Single(_one.Load(text).Builds);
        var second = Assert.Single(_one.Load(text).Builds);
        Assert.Equal(await KeysAsync(first), await KeysAsync(second));

        var said = Said(first);
        Assert.Equal(said, Said(first));
        Assert.NotEqual(said, Said(second));
        // A build that goes on from the first one's layer says what the first one said.
        Assert.Equal(said, Said(second.With(first.Frozen)));
        var ids = said.Split(' ')[2..];
        Assert.NotEqual(ids[0], ids[1]);
    }

    [Fact]
    public async Task CommandOnTheHost_RunsAgainWithWhatFollows_UnlessItDeclaresItsInputs()
    {
        const string After = """
            provisioner "shell" {
                inline = ["true"]
              }
            """;
        const string Undeclared = """
            provisioner "shell-local" {
                inline = ["true"]
              }
              
            """;
        var (first, second) = (await KeysAsync(_one, Undeclared + After), await KeysAsync(_one, Undeclared + After));
        Assert.Equal([true, false, false], first.Select(key => key.Cacheable));
        Assert.Equal(first[0], second[0]);
        Assert.NotEqual(first[1].Key, second[1].Key);
        Assert.NotEqual(first[2].Key, second[2].Key);
    }

    [Fact]
    public async Task Download_AndGeneratedUpload_RunAgain()
    {
        foreach (var more in new[] { "direction = \"download\"", "generated = true" })
        {
            var keys = await KeysAsync(_one, $$"""
                provisioner "file" {
                    source      = "nowhere"
                    destination = "/tmp/"
                    {{more}}
                  }
                """);
            Assert.False(keys[1].Cacheable);
        }
    }

    [Fact]
    public async Task Network_IsDeclared()
    {
        const string Build = """
            provisioner "shell" {
                inline       = ["apt-get update"]
                uses_network = true
              }
            """;
        Assert.Equal([false, true], (await KeysAsync(_one, Build)).Select(key => key.UsesNetwork));
        var build = Assert.Single(_one.Load(Templates.Source("uses_network = true")).Builds);
        Assert.Equal([true], (await KeysAsync(build)).Select(key => key.UsesNetwork));
    }

    [Fact]
    public async Task ShellIsToldTheBuildsName_SoTheNameCounts()
    {
        const string Build = """
            provisioner "shell" {
                inline = ["echo $PACKER_BUILD_NAME"]
              }
            """;
        var text = Templates.Source("", Build);
        var first = await KeysAsync(Assert.Single(_one.Load(text).Builds));
        var renamed = await KeysAsync(Assert.Single(_one.Load(text.Replace("\"mini\"", "\"other\"", StringComparison.Ordinal)
            .Replace("qemu.mini", "qemu.other", StringComparison.Ordinal)).Builds));
        Assert.Equal(first[0], renamed[0]);
        Assert.NotEqual(first[1], renamed[1]);
    }

    private static string Said(BuildDefinition build) =>
        ((ProvisionerOptions.Shell)build.Provisioners[0].Options(BuildVariables.Placeholders)).Inline[0];

    private static Task<LayerKey[]> KeysAsync(TemplateFolder folder, string build)
    {
        var loaded = folder.Load(Templates.Source("", build));
        Assert.False(loaded.Diagnostics.HasErrors, folder.Render(loaded));
        return KeysAsync(loaded.Builds.Single());
    }

    private static async Task<LayerKey[]> KeysAsync(BuildDefinition build)
    {
        var canonical = build.With(FrozenValues.Canonical);
        var machine = new MachineInputs
        {
            Base = [],
            QemuArguments = [],
            Programs = [],
            Accelerator = "Tcg",
            DiskSizes = [],
            Answers = canonical.Source.Answers.HttpContent.Select(FileDigests.OfContent).ToValueList(),
            BootCommand = [],
            BootWait = "",
            User = "root",
        };
        return [.. await LayerKeys.ComputeAsync(machine, canonical, SystemEntropy.Instance, Token)];
    }
}
