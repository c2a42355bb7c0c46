using Gantry.EndToEnd.Engines;

namespace Gantry.EndToEnd.Machines;

/// <summary>Folders of the host in a guest (9p), by the real program, with a kernel that can mount them.</summary>
public sealed class ShareTests : IAsyncDisposable
{
    private const string Machine = "sharing";
    private const string Mount = "mount -t 9p -o trans=virtio,version=9p2000.L";

    private readonly string _home = Directory.CreateTempSubdirectory("gantry-e2e-share-").FullName;
    private readonly GantryProgram _gantry;

    public ShareTests() => _gantry = new GantryProgram(In("home"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _gantry.RunAsync("delete", "--force", Machine);
        Directory.Delete(_home, recursive: true);
    }

    [Fact]
    [Trait("Category", "Long")] // a kernel package of 70 MB
    public async Task SharedFolder_IsTheSameOnBothSides_AndAReadOnlyOneStaysAsItIs()
    {
        var linux = await SmallLinux.WithNinePAsync();
        foreach (var folder in new[] { "both", "fixed" })
        {
            Directory.CreateDirectory(In(folder));
            await File.WriteAllTextAsync(In($"{folder}/from-host"), $"{folder} says the host\n", Token);
        }

        await _gantry.OkAsync(
            "launch", "--kernel", linux.Kernel, "--initrd", linux.Initrd, "--append", "console=ttyS0 quiet", "--arch", "x86_64",
            "--name", Machine, "--memory", "256M", "--share", $"{In("both")}:both", "--share", $"{In("fixed")}:fixed:ro");
        await _gantry.OkAsync("wait", Machine, "--for", "serial:GUEST-READY");
        // Mounted for writing, so that it is the host who refuses.
        var (_, output, _) = await _gantry.InTerminalAsync(
            $"console {Machine}",
            ("Leave it with", $"mkdir /a /b; {Mount} both /a; {Mount} fixed /b; echo mounted-$?\r"),
            ("mounted-0", "cat /a/from-host /b/from-host; echo says the guest > /a/from-guest; echo wrote-$?\r"),
            ("wrote-0", "echo x > /b/new; echo made-$?; echo x >> /b/from-host; echo changed-$?; rm /b/from-host; echo removed-$?\r"),
            ("removed-", "\u001d"));
        Assert.Contains("both says the host", output, StringComparison.Ordinal);
        Assert.Contains("fixed says the host", output, StringComparison.Ordinal);
        Assert.Contains("made-1", output, StringComparison.Ordinal);
        Assert.Contains("changed-1", output, StringComparison.Ordinal);
        Assert.Contains("removed-1", output, StringComparison.Ordinal);
        Assert.Equal("says the guest\n", await File.ReadAllTextAsync(In("both/from-guest"), Token));
        Assert.Equal("fixed says the host\n", await File.ReadAllTextAsync(In("fixed/from-host"), Token));
        Assert.Equal([In("fixed/from-host")], Directory.GetFileSystemEntries(In("fixed")));
    }

    private string In(string name) => Path.Combine(_home, name);
}
