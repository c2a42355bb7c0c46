using System.Text.Json;

namespace Gantry.EndToEnd.Examples;

/// <summary>The template that <c>examples/mini</c> makes of its ISO, built once.</summary>
public sealed class MiniTemplate : IAsyncLifetime
{
    internal ExampleHome Home { get; } = new();

    internal string Iso => Path.Combine(Home.Folder, "amd64", "mini.iso");

    public async ValueTask InitializeAsync()
    {
        await MakeIsoAsync("amd64", Iso);
        await Home.GantryAsync("build", "-var", $"iso={Iso}", ExampleScript.PathOf("mini"));
    }

    public ValueTask DisposeAsync() => Home.DisposeAsync();

    internal Task MakeIsoAsync(string arch, string iso) =>
        ExampleScript.RunAsync(Home.Folder, ExampleScript.PathOf("mini/make-iso"), "--arch", arch, iso);

    /// <summary>Starts a machine of a template, waits until it answers, and gives what a command says in it.</summary>
    internal async Task<string> AskAsync(string template, string machine, params string[] command)
    {
        await Home.GantryAsync("launch", template, "--name", machine);
        await Home.GantryAsync("wait", machine, "--for", "ssh", "--timeout", "5m");
        var (said, _) = await Home.GantryAsync(["exec", machine, "--", .. command]);
        await Home.GantryAsync("delete", "--force", machine);
        return said;
    }
}

/// <summary><c>examples/mini</c> and what builds on it, each as a person runs it.</summary>
[Collection("examples")]
public sealed class MiniTests(MiniTemplate mini) : IClassFixture<MiniTemplate>
{
    [Fact]
    public async Task Mini_FromItsIso_ServesItsPage()
    {
        await mini.Home.GantryAsync("launch", "mini", "--name", "web", "--publish", "0:80");
        await mini.Home.GantryAsync("wait", "web", "--for", "http:80/health", "--timeout", "3m");
        var (shown, _) = await mini.Home.GantryAsync("show", "web", "-o", "json");
        using var document = JsonDocument.Parse(shown);
        var chain = document.RootElement.GetProperty("chain").EnumerateArray().Select(link => link.GetProperty("kind").GetString());
        Assert.Contains("iso", chain);
        Assert.NotEqual(JsonValueKind.Null, document.RootElement.GetProperty("started").ValueKind);
    }

    [Fact]
    public async Task MiniDerived_FromTheTemplateMini_HoldsWhatItsProvisionerMade()
    {
        var (built, _) = await mini.Home.GantryAsync("build", "-var", "greeting=hello from a test", ExampleScript.PathOf("mini-derived"));
        Assert.Contains("template mini-derived", built, StringComparison.Ordinal);
        Assert.Equal("hello from a test\n", await mini.AskAsync("mini-derived", "derived", "cat", "/etc/motd"));

        var output = Path.Combine(mini.Home.Folder, "build");
        using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(
            Path.Combine(output, "mini-derived-manifest.json"), TestContext.Current.CancellationToken));
        Assert.Equal("mini-derived", manifest.RootElement.GetProperty("builds")[0].GetProperty("name").GetString());
        Assert.Matches("^[0-9a-f]{64}\t", await File.ReadAllTextAsync(
            Path.Combine(output, "mini-derived_sha256.checksum"), TestContext.Current.CancellationToken));

        // Built again it is all there, but for the start of the machine.
        var (again, _) = await mini.Home.GantryAsync("build", "-var", "greeting=hello from a test", ExampleScript.PathOf("mini-derived"));
        Assert.Contains("steps from the cache", again, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MiniIso_OfTheMiniIso_InstallsWithoutAKey()
    {
        var (_, progress) = await mini.Home.GantryAsync("build", "-var", $"iso={mini.Iso}", ExampleScript.PathOf("mini-iso"));
        Assert.DoesNotContain("SSH", progress, StringComparison.Ordinal);
        var iso = Path.Combine(mini.Home.Folder, "output-mini-iso", "mini-iso.iso");
        Assert.True(File.Exists(iso));

        // What it installs answers with the password that lay on the ISO, and with no other help.
        var template = Path.Combine(mini.Home.Folder, "unattended.pkr.hcl");
        await File.WriteAllTextAsync(
            template,
            $$"""
            source "qemu" "unattended" {
              iso_url          = "{{iso}}"
              iso_checksum     = "none"
              machine_type     = "pc"
              memory           = 256
              disk_size        = "1G"
              boot_wait        = "0s"
              ssh_username     = "root"
              ssh_password     = "gantry"
              ssh_timeout      = "5m"
              shutdown_command = "/usr/sbin/poweroff"
              template         = "unattended"
            }
            build {
              sources = ["source.qemu.unattended"]
              provisioner "shell" {
                inline = ["test \"$(hostname)\" = unattended", "grep -q ext /proc/mounts"]
              }
            }
            """,
            TestContext.Current.CancellationToken);
        var (built, _) = await mini.Home.GantryAsync("build", template);
        Assert.Contains("template unattended", built, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Category", "Long")]
    [InlineData("amd64", "uefi", "x86_64")]
    [InlineData("arm64", "uefi", "aarch64")]
    public async Task Mini_WithUefi_IsBuiltAndAnswers(string arch, string firmware, string uname)
    {
        var iso = Path.Combine(mini.Home.Folder, arch, "mini.iso");
        await mini.MakeIsoAsync(arch, iso);
        var name = $"mini-{arch}-{firmware}";
        await mini.Home.GantryAsync(
            "build", "-var", $"iso={iso}", "-var", $"arch={arch}", "-var", $"firmware={firmware}", "-var", $"template={name}",
            ExampleScript.PathOf("mini"));
        var said = await mini.AskAsync(name, $"answers-{arch}", "sh", "-c", "uname -m; ls -d /sys/firmware/efi");
        Assert.Equal($"{uname}\n/sys/firmware/efi\n", said);
    }
}
