using System.Net;
using System.Net.Sockets;
using Gantry.Imaging.Builds;

namespace Gantry.EndToEnd.Builds;

/// <summary>What builds take from earlier ones, and that it makes no difference to what comes out.</summary>
[Collection(nameof(BuildCollection))]
public sealed class BuildCacheTests(BuildNode builds)
{
    /// <summary>
    /// What may differ between a cached and a cold build of one template, besides times: docs/cache.md has the list.
    /// </summary>
    private static readonly string[] MayDiffer =
    [
        "boot/extlinux/extlinux.conf", // the file system's UUID, made by mkfs
        "boot/extlinux/ldlinux.sys", // holds the places of its own blocks
        "esp/boot/grub/grub.cfg", // the file system's UUID
        "etc/fstab", // the file system's UUID
        "etc/shadow", // the salt of the password
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NoCache_TakesNothingAndKeepsNothing_AndMakesTheSameFiles()
    {
        var before = (await builds.Node.Layers.ListAsync(Token)).Select(layer => layer.Key).ToList();
        var cold = await builds.BuildAsync(
            "cold", BuildNode.Shell("echo one > /root/last"), new Lines(), new BuildOptions { NoCache = true });
        Assert.Equal(0, cold.CachedSteps);
        Assert.Equal(before, (await builds.Node.Layers.ListAsync(Token)).Select(layer => layer.Key));
        var cached = await builds.BuildAsync("warm", BuildNode.Shell("echo one > /root/last"), new Lines());
        Assert.Equal(3, cached.CachedSteps);

        await AssertAlikeAsync(cold, cached, "etc/shadow");
    }

    [Fact]
    public async Task Resumes_HaveTheirOwnUuids_AndTheirChainsTime()
    {
        var uuids = new HashSet<string>();
        string? time = null;
        foreach (var name in new[] { "uuid-one", "uuid-two" })
        {
            var lines = new Lines();
            await builds.BuildAsync(
                name, BuildNode.Shell($"echo random {name} $(cat /proc/sys/kernel/random/uuid); echo frozen ${{timestamp()}} ${{uuidv4()}}"), lines);
            uuids.Add(lines.After($"random {name}").Text);
            var frozen = lines.After("frozen").Text;
            Assert.Equal(time ?? frozen, frozen);
            time = frozen;
        }

        Assert.Equal(2, uuids.Count);
    }

    [Fact]
    public async Task PortForSsh_TakenBetweenItsChoiceAndTheStart_IsReplacedByAnother()
    {
        var first = BuildNode.FreePort();
        using var other = new TcpListener(IPAddress.Loopback, first);
        var taken = false;
        void Take(string line)
        {
            // The port is chosen by now, and not yet bound.
            if (taken || !line.StartsWith("Starting build-", StringComparison.Ordinal))
                return;
            taken = true;
            other.Start();
        }

        await builds.BuildAsync(
            "port", BuildNode.Shell("echo one > /root/last"), new Lines { Heard = Take }, new BuildOptions(),
            text => text.Replace(
                "ssh_username ", $"host_port_min = {first}\n  host_port_max = {first + 50}\n  ssh_username ", StringComparison.Ordinal));
        Assert.True(taken);
    }

    [Fact]
    public async Task Prune_TakesTheLeastRecentlyUsed_AndTheListShowsWhatIsLeft()
    {
        await builds.BuildAsync("pruned", BuildNode.Shell("echo to be pruned"), new Lines());
        // Used last, so that only the other goes.
        await builds.BuildAsync("first-again", BuildNode.Shell("echo one > /root/last"), new Lines());
        var layers = await builds.Node.Layers.ListAsync(Token);
        var oldest = layers.MinBy(layer => layer.LastUsed)!;
        var limit = layers.Sum(layer => layer.Bytes) - 1;
        using var prune = builds.Start("build", "cache", "prune", "--cache-limit", $"{limit}B");
        Assert.True(await prune.WaitAsync(Token) == 0, prune.Said);
        Assert.StartsWith("removed 1 kept steps", prune.Said, StringComparison.Ordinal);
        using var list = builds.Start("build", "cache", "list", "-o", "json");
        Assert.True(await list.WaitAsync(Token) == 0, list.Said);
        Assert.DoesNotContain(oldest.Key, list.Said, StringComparison.Ordinal);
        Assert.All(layers.Where(layer => layer != oldest), layer => Assert.Contains(layer.Key, list.Said, StringComparison.Ordinal));
        // A build whose oldest step is gone still goes on from the others.
        var again = await builds.BuildAsync("first-again", BuildNode.Shell("echo one > /root/last"), new Lines());
        Assert.Equal(3, again.CachedSteps);
    }

    [Fact]
    public async Task StepThatUsedTheNetwork_RunsAgainWhenItIsOlderThanMaxAge()
    {
        const string Last = """
            provisioner "shell" {
                inline       = ["echo fetched"]
                uses_network = true
              }
              provisioner "shell" {
                inline = ["echo after"]
              }
            """;
        static Func<string, string> MaxAge(string age) =>
            text => text.Replace("ssh_username ", $"max_age = \"{age}\"\n  ssh_username ", StringComparison.Ordinal);
        await builds.BuildAsync("aged", Last, new Lines(), new BuildOptions(), MaxAge("1h"));
        Assert.Equal(4, (await builds.BuildAsync("aged", Last, new Lines(), new BuildOptions(), MaxAge("1h"))).CachedSteps);
        Assert.Equal(2, (await builds.BuildAsync("aged", Last, new Lines(), new BuildOptions(), MaxAge("1ms"))).CachedSteps);
    }

    [Fact]
    [Trait("Category", "Long")] // an installation and a start under UEFI, without hardware virtualization
    public async Task Uefi_TwoDisksAndATpm_GoThroughTheCache()
    {
        static string Change(string text) => text
            .Replace("machine_type     = \"pc\"", "machine_type = \"q35\"\n  cdrom_interface = \"virtio-scsi\"\n  efi_boot = true\n  vtpm = true\n  disk_additional_size = [\"64M\"]", StringComparison.Ordinal);
        const string Variable = "/sys/firmware/efi/efivars/GantryTest-12345678-1234-1234-1234-123456789abc";
        const string Mount = "mount -t efivarfs efivarfs /sys/firmware/efi/efivars 2>/dev/null || true;";
        static string Last(string more) => $$"""
            provisioner "shell" {
                inline = ["{{Mount}} printf '\\007\\000\\000\\000kept' > {{Variable}}; echo on-the-second > /dev/vdb; sync"]
              }
              provisioner "shell" {
                inline = ["{{Mount}} echo variable $(tail -c 4 {{Variable}}); echo disk $(head -c 13 /dev/vdb); echo {{more}}"]
              }
            """;
        var first = await builds.BuildAsync("uefi", Last("cold"), new Lines(), new BuildOptions(), Change);
        Assert.Equal(0, first.CachedSteps);
        var lines = new Lines();
        var second = await builds.BuildAsync("uefi", Last("cached"), lines, new BuildOptions(), Change);
        Assert.Equal(3, second.CachedSteps);
        Assert.Equal("kept", lines.After("variable").Text);
        Assert.Equal("on-the-second", lines.After("disk").Text);
        Assert.Equal(2, second.Template!.Spec.Disks.Count);
        Assert.NotNull(second.Template.Variables);
        Assert.Contains(await builds.Node.Layers.ListAsync(Token), layer => layer is { HasTpm: true, Variables: not null });

        var cold = await builds.BuildAsync("uefi-cold", Last("cached"), new Lines(), new BuildOptions { NoCache = true }, Change);
        Assert.Equal(0, cold.CachedSteps);
        await AssertAlikeAsync(cold, second, "disk1", "esp/EFI/BOOT/BOOTX64.EFI", "esp/boot/grub/grub.cfg", "etc/shadow");
    }

    /// <summary>The files of two builds' templates are the same, but for what may differ.</summary>
    private async Task AssertAlikeAsync(BuildResult left, BuildResult right, params string[] amongThem)
    {
        Dictionary<string, string> one, other;
        using (var disk = await GuestDisk.OpenAsync(builds, left.Template!, Token))
            one = disk.Digests();
        using (var disk = await GuestDisk.OpenAsync(builds, right.Template!, Token))
            other = disk.Digests();
        Assert.True(one.Count > 100, "hardly any files were read from the disk");
        Assert.Subset(one.Keys.ToHashSet(), amongThem.ToHashSet());
        var different = one.Keys.Union(other.Keys).Where(path => one.GetValueOrDefault(path) != other.GetValueOrDefault(path)).Order();
        Assert.Equal([], different.Except(MayDiffer));
    }
}
