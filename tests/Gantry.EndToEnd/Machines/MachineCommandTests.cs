using System.Buffers.Binary;
using System.Text.Json;
using Gantry.EndToEnd.Builds;
using Gantry.Machines.Guest;

namespace Gantry.EndToEnd.Machines;

/// <summary>The commands of one running machine, each by the real program.</summary>
[Collection(nameof(BuildCollection))]
public sealed class MachineCommandTests(BuildNode builds) : IClassFixture<MachineCommandTests.Leaver>, IDisposable
{
    private const string Machine = "one";

    private readonly GantryProgram _gantry = new(builds.Folders.Home);
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-e2e-commands-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Takes the class's machine away: those who share the node count what is left on it.</summary>
    public sealed class Leaver(BuildNode builds) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() =>
            await new GantryProgram(builds.Folders.Home).RunAsync("delete", "--force", Machine);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Exec_GivesTheCommandsOutputsAndExitCode()
    {
        await RunningAsync();
        Assert.Equal((7, "out\n", "err\n"), await _gantry.RunAsync("exec", Machine, "--", "sh", "-c", "echo out; echo err >&2; exit 7"));
        Assert.Equal((0, "a  b\n", ""), await _gantry.RunAsync("exec", Machine, "echo", "a  b"));
        Assert.Equal((0, "from a pipe", ""), await _gantry.RunAsync(["exec", Machine, "cat"], "from a pipe"));
        Assert.Equal(127, (await _gantry.RunAsync("exec", Machine, "no-such-command")).Code);
        Assert.Equal(9, (await _gantry.RunAsync("ssh", Machine, "exit 9")).Code);
        Assert.Equal((5, "hello\n", ""), await _gantry.RunAsync(["ssh", Machine], "echo hello; exit 5\n"));
    }

    [Fact]
    public async Task Ssh_InATerminal_ShowsTheGuestsTerminal_AndGivesItsExitCode()
    {
        await RunningAsync();
        var (code, output, _) = await _gantry.InTerminalAsync($"ssh {Machine}", ("# ", "tty; echo is-$((40+2))\r"), ("is-42", "exit 6\r"));
        Assert.Equal(6, code);
        Assert.Contains("/dev/pts/", output, StringComparison.Ordinal);
        Assert.DoesNotContain("gantry-", output, StringComparison.Ordinal);
        Assert.DoesNotContain("gantry;", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Copy_TakesFilesAndFoldersBothWays_AndNamesWhatIsMissing()
    {
        await RunningAsync();
        var bytes = new byte[300_000];
        new Random(3).NextBytes(bytes);
        Directory.CreateDirectory(In("tree/sub"));
        await File.WriteAllBytesAsync(In("tree/big"), bytes, Token);
        await File.WriteAllTextAsync(In("tree/sub/a b"), "text", Token);
        await _gantry.OkAsync("exec", Machine, "rm", "-rf", "/root/copied", "/root/there");

        await _gantry.OkAsync("cp", In("tree"), $"{Machine}:/root/copied");
        Assert.Equal("text", await _gantry.OkAsync("exec", Machine, "cat", "/root/copied/sub/a b"));
        await _gantry.OkAsync("exec", Machine, "mkdir", "/root/there");
        await _gantry.OkAsync("cp", In("tree"), $"{Machine}:/root/there");
        Assert.Equal("text", await _gantry.OkAsync("exec", Machine, "cat", "/root/there/tree/sub/a b"));

        await _gantry.OkAsync("cp", $"{Machine}:/root/copied/big", In("back"));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(In("back"), Token));
        await _gantry.OkAsync("cp", $"{Machine}:/root/copied", In("new"));
        Assert.Equal("text", await File.ReadAllTextAsync(In("new/sub/a b"), Token));
        await _gantry.OkAsync("cp", $"{Machine}:/root/copied", In("new"));
        Assert.Equal("text", await File.ReadAllTextAsync(In("new/copied/sub/a b"), Token));

        var (code, _, error) = await _gantry.RunAsync("cp", $"{Machine}:/root/nothing", In("x"));
        Assert.Equal(3, code);
        Assert.Contains("there is no file or folder /root/nothing", error, StringComparison.Ordinal);
        Assert.False(Path.Exists(In("x")));
        (code, _, error) = await _gantry.RunAsync("cp", In("nothing"), $"{Machine}:/root/x");
        Assert.Equal(3, code);
        Assert.Contains(In("nothing"), error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Console_TalksToTheSerialLine_AndIsLeftWithCtrlBracket()
    {
        await RunningAsync();
        var (code, output, _) = await _gantry.InTerminalAsync(
            $"console {Machine}", ("Leave it with", "\r"), ("login:", "nobody-here\r"), ("Password:", "\u001d"));
        Assert.Equal(0, code);
        Assert.Contains("Left the console", output, StringComparison.Ordinal);
        // What was said there is in the log, with the options before or after the machine's name.
        Assert.Contains("Password:", await _gantry.OkAsync("logs", Machine), StringComparison.Ordinal);
        await _gantry.OkAsync("logs", Machine, "--qemu");
        await _gantry.OkAsync("logs", "--qemu", Machine);
    }

    [Fact]
    public async Task SendKeys_AreSeenOnTheScreen_AndInItsPicture()
    {
        await RunningAsync();
        await _gantry.OkAsync("send-keys", Machine, "<enter><wait1s>typed-text<wait1s>");
        var text = await _gantry.OkAsync("screenshot", Machine, "--text");
        Assert.Contains("login: typed-text", text, StringComparison.Ordinal);
        Assert.False(text.EndsWith("\n\n", StringComparison.Ordinal));
        await _gantry.OkAsync("send-keys", Machine, "<enter>");

        await _gantry.OkAsync("screenshot", Machine, "-o", In("screen.png"));
        var png = await File.ReadAllBytesAsync(In("screen.png"), Token);
        Assert.Equal<byte>([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10], png[..8]);
        Assert.Equal("IHDR"u8, png.AsSpan(12, 4));
        Assert.Equal((720, 400), (BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20))));
    }

    [Fact]
    public async Task PausedMachine_IsListedAsSuch_AndNobodyWaitsForIt()
    {
        await RunningAsync();
        await _gantry.OkAsync("pause", Machine);
        try
        {
            Assert.Equal("paused", await StateAsync());
            var (code, _, error) = await _gantry.RunAsync("exec", Machine, "true");
            Assert.Equal(4, code);
            Assert.Contains($"gantry resume {Machine}", error, StringComparison.Ordinal);
        }
        finally
        {
            await _gantry.OkAsync("resume", Machine);
        }

        Assert.Equal("running", await StateAsync());
        await _gantry.OkAsync("exec", Machine, "true");
    }

    [Fact]
    public async Task HostKey_ThatDiffersFromTheFirst_IsRefusedUntilItIsAccepted()
    {
        var number = await RunningAsync();
        await _gantry.OkAsync("exec", Machine, "true");
        var file = Path.Combine(builds.Folders.Machines, number, KnownHostKey.FileName);
        var first = await File.ReadAllTextAsync(file, Token);
        var (key, another) = (first.Split(' '), SshKeyPair.Generate("x").PublicKey.Split(' '));
        Assert.NotEqual(key[1].Trim(), another[1]);
        await File.WriteAllTextAsync(file, $"{another[0]} {another[1]}\n", Token);

        var (code, _, error) = await _gantry.RunAsync("exec", Machine, "true");
        Assert.Equal(1, code);
        Assert.Contains($"gantry ssh --new-host-key {Machine}", error, StringComparison.Ordinal);
        await _gantry.OkAsync("exec", "--new-host-key", Machine, "true");
        Assert.Equal(first, await File.ReadAllTextAsync(file, Token));
    }

    [Fact]
    public async Task PortThatIsTaken_IsSaid_AndNothingIsLeft()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        var before = builds.VolumeFiles().ToList();
        var (code, _, error) = await _gantry.RunAsync("launch", "first", "--name", "no-port", "--protect", "--publish", $"{port}:80");
        Assert.Equal(4, code);
        Assert.Contains($"port {port} on 127.0.0.1 is in use", error, StringComparison.Ordinal);
        Assert.Equal(before, builds.VolumeFiles());
        Assert.Equal(3, (await _gantry.RunAsync("show", "no-port")).Code);
    }

    [Fact]
    public async Task Machine_FromCloneToDeletion_GoesThroughItsStates()
    {
        await RunningAsync();
        await _gantry.OkAsync("exec", Machine, "--", "sh", "-c", "echo kept > /root/kept; sync");
        await _gantry.OkAsync("clone", Machine, "--name", "two", "--publish", "0:80", "--notes", "a clone");
        Assert.Equal("stopped", await StateAsync("two"));
        await _gantry.OkAsync("start", "two");
        await _gantry.OkAsync("wait", "two", "--for", "ssh");
        Assert.Equal("kept\n", await _gantry.OkAsync("exec", "two", "cat", "/root/kept"));
        Assert.Equal("two\n", await _gantry.OkAsync("exec", "two", "hostname"));

        await _gantry.OkAsync("rename", "two", "deux");
        await _gantry.OkAsync("set", "deux", "--memory", "300M", "--protect", "--notes", "changed");
        await _gantry.OkAsync("restart", "deux");
        await _gantry.OkAsync("wait", "deux", "--for", "ssh");
        using (var shown = JsonDocument.Parse(await _gantry.OkAsync("show", "deux", "-o", "json")))
        {
            Assert.Equal(300, shown.RootElement.GetProperty("memoryMiB").GetInt32());
            Assert.Equal("changed", shown.RootElement.GetProperty("notes").GetString());
            Assert.Contains(shown.RootElement.GetProperty("ports").EnumerateArray(), port => port.GetProperty("guestPort").GetInt32() == 80);
        }

        Assert.Equal(4, (await _gantry.RunAsync("template", "delete", "first")).Code);
        Assert.Equal(4, (await _gantry.RunAsync("delete", "--force", "deux")).Code);
        await _gantry.OkAsync("set", "deux", "--protect=false");
        Assert.Equal(4, (await _gantry.RunAsync("delete", "deux")).Code);
        await _gantry.OkAsync("shutdown", "deux");
        Assert.Equal("stopped", await StateAsync("deux"));
        await _gantry.OkAsync("start", "deux");
        await _gantry.OkAsync("stop", "deux");
        await _gantry.OkAsync("delete", "deux");
        Assert.Equal(3, (await _gantry.RunAsync("show", "deux")).Code);
    }

    private string In(string name) => Path.Combine(_folder, name);

    /// <summary>The class's one machine, started by the first test that needs it; its number.</summary>
    private async Task<string> RunningAsync()
    {
        if ((await _gantry.RunAsync("show", Machine)).Code != 0)
        {
            await _gantry.OkAsync("launch", "first", "--name", Machine, "--memory", "192M");
            await _gantry.OkAsync("wait", Machine, "--for", "ssh");
        }

        using var shown = JsonDocument.Parse(await _gantry.OkAsync("show", Machine, "-o", "json"));
        return shown.RootElement.GetProperty("number").GetInt32().ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task<string> StateAsync(string name = Machine)
    {
        using var list = JsonDocument.Parse(await _gantry.OkAsync("list", "-o", "json"));
        return list.RootElement.EnumerateArray().Single(one => one.GetProperty("name").GetString() == name).GetProperty("state").GetString()!;
    }
}
