namespace Gantry.EndToEnd.Builds;

/// <summary>What is on the disk of a template, and what is not.</summary>
[Collection(nameof(BuildCollection))]
public sealed class SealTests(BuildNode builds)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Template_HoldsNothingByWhichItsClonesWouldBeAlike()
    {
        Assert.True(builds.First.Template!.Sealed);
        using var disk = await GuestDisk.OpenAsync(builds, builds.First.Template, Token);
        var files = disk.Digests().Keys.ToHashSet();
        Assert.Contains("root/built", files);
        Assert.Equal("", await File.ReadAllTextAsync(Path.Combine(disk.Root, "etc/machine-id"), Token));
        foreach (var gone in new[] { "host_key", "random-seed", ".leases", "gantry", "id_ed25519", "_history", ".sealed" })
        {
            Assert.DoesNotContain(
                files.Where(file => file.Split('/')[0] is "etc" or "root" or "var" or "home" or "tmp"),
                file => file.Contains(gone, StringComparison.Ordinal));
        }

        Assert.DoesNotContain(files, file => file.StartsWith("var/lib/cloud/", StringComparison.Ordinal));
        Assert.All(
            files.Where(file => file.StartsWith("var/log/", StringComparison.Ordinal)),
            file => Assert.Equal(0, new FileInfo(Path.Combine(disk.Root, file)).Length));
    }

    [Fact]
    public async Task BuildsOwnKey_IsGoneFromTheTemplate()
    {
        // A template whose build was let in by a key that it made: no password, so nothing of its stays valid.
        var result = await builds.BuildAsync(
            "keyed",
            "",
            new Lines(),
            new Imaging.Builds.BuildOptions(),
            _ => """
                source "qemu" "keyed" {
                  base             = template.first
                  isa              = "x86_64"
                  accelerator      = "tcg"
                  machine_type     = "pc"
                  memory           = 256
                  ssh_timeout      = "5m"
                  shutdown_command = "/usr/sbin/poweroff"
                  template         = "keyed"
                }

                build {
                  sources = ["source.qemu.keyed"]
                  provisioner "shell" {
                    inline = ["grep -q gantry-build /root/.ssh/authorized_keys"]
                  }
                }
                """);
        Assert.True(result.Template!.Sealed);
        using var disk = await GuestDisk.OpenAsync(builds, result.Template, Token);
        var keys = Path.Combine(disk.Root, "root/.ssh/authorized_keys");
        Assert.DoesNotContain("gantry-build", File.Exists(keys) ? await File.ReadAllTextAsync(keys, Token) : "", StringComparison.Ordinal);
        Assert.DoesNotContain(disk.Digests().Keys, file => file.StartsWith("var/lib/gantry", StringComparison.Ordinal));
        Assert.DoesNotContain(disk.Digests().Keys, file => file.StartsWith("var/lib/urandom/", StringComparison.Ordinal));
    }
}
