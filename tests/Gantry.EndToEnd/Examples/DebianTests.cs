using System.Diagnostics;
using Gantry.App.Hosting;
using Gantry.Model;
using Gantry.Storage;

namespace Gantry.EndToEnd.Examples;

/// <summary><c>examples/debian</c> as a whole, from packages to a clone that answers. It takes from 10 to 40 minutes.</summary>
[Collection("examples")]
[Trait("Category", "Long")]
public sealed class DebianTests(ExampleHome home) : IClassFixture<ExampleHome>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("bios")]
    [InlineData("uefi")]
    public async Task Debian_MadeByDebootstrap_AnswersOverSshAndThroughItsAgent_AndIsRebuiltQuickly(string firmware)
    {
        var live = Path.Combine(home.Folder, "live");
        await ExampleScript.RunAsync(home.Folder, ExampleScript.PathOf("debian/make-live"), live);
        string[] build =
        [
            "build", "-var", $"live={live}", "-var", $"mirror={await DebianMirror.FindAsync(home.Folder)}", "-var", "variant=minbase",
            "-var", $"firmware={firmware}", "-var", $"template=debian-{firmware}",
        ];
        await home.GantryAsync([.. build, ExampleScript.PathOf("debian")]);

        // Only the last provisioner changes: nothing is installed again.
        var start = Stopwatch.GetTimestamp();
        var (again, _) = await home.GantryAsync([.. build, "-var", "greeting=another greeting", ExampleScript.PathOf("debian")]);
        Assert.Contains("3 steps from the cache", again, StringComparison.Ordinal);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromMinutes(3));

        var name = $"clone-{firmware}";
        await home.GantryAsync("launch", $"debian-{firmware}", "--name", name, "--disk", "6G");
        await home.GantryAsync("wait", name, "--for", "ssh", "--timeout", "5m");
        var (said, _) = await home.GantryAsync(
            "exec", name, "--", "sh", "-c", "cloud-init status --wait >/dev/null; hostname; cat /etc/motd; df --output=size -BG / | tail -n 1");
        var lines = said.TrimEnd().Split('\n');
        Assert.Equal([name, "another greeting"], lines[..2]);
        // The file system grew with the disk.
        Assert.Equal("6G", lines[2].Trim());
        await AskAgentAsync(name);
    }

    private async Task AskAgentAsync(string name)
    {
        var before = Environment.GetEnvironmentVariable("GANTRY_HOME");
        Environment.SetEnvironmentVariable("GANTRY_HOME", home.Folder);
        var folders = DataFolders.FromEnvironment();
        Environment.SetEnvironmentVariable("GANTRY_HOME", before);
        await using var node = await GantryNode.OpenAsync(folders, TimeProvider.System, SystemEntropy.Instance, repair: false, Token);
        var machine = await node.Machines.GetAsync(name, Token);
        await using var guest = await node.Host.GetRunningAsync(machine, Token);
        var answer = await guest.GuestAgentAsync("guest-get-host-name", timeout: TimeSpan.FromMinutes(1), cancellationToken: Token);
        Assert.Equal(name, answer.GetProperty("host-name").GetString());
    }
}
