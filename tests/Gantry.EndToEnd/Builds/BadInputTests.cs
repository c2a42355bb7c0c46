using System.Net;
using System.Net.Sockets;
using System.Text;
using Gantry.Imaging.Builds;
using Gantry.Model;

namespace Gantry.EndToEnd.Builds;

/// <summary>Input that is wrong, and hosts that lack something: a clear message, and nothing left or overwritten.</summary>
[Collection(nameof(BuildCollection))]
public sealed class BadInputTests(BuildNode builds) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-bad-input-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task WrongChecksum_IsRefused_WithBothDigests()
    {
        var problem = await FailAsync(text => Set(text, "iso_checksum", $"\"sha256:{new string('0', 64)}\""));
        Assert.Contains(new string('0', 64), problem.ToString(), StringComparison.Ordinal);
        Assert.Contains("mini.iso", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TruncatedIso_IsRefused_BeforeAnythingStarts()
    {
        var half = Path.Combine(_folder, "half.iso");
        await using (var from = File.OpenRead(builds.Iso))
        await using (var to = File.Create(half))
        {
            var bytes = new byte[1 << 20];
            await from.ReadExactlyAsync(bytes, Token);
            await to.WriteAsync(bytes, Token);
        }

        var problem = await FailAsync(text => Set(Set(text, "iso_url", $"\"{half}\""), "iso_checksum", "\"none\""));
        Assert.Contains("half.iso", problem.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(problem.Remedy);
    }

    [Fact]
    public async Task DiskImage_ThatIsNotWhatItsNameSays_IsRefused()
    {
        var image = Path.Combine(_folder, "disk.qcow2");
        await File.WriteAllBytesAsync(image, Encoding.ASCII.GetBytes(new string('x', 1 << 20)), Token);
        var problem = await FailAsync(text => DiskImage(text, image));
        Assert.Contains("disk.qcow2", problem.ToString(), StringComparison.Ordinal);
        Assert.Contains("qcow2", problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DiskImage_ThatNamesAnotherFile_IsRefused()
    {
        var image = Path.Combine(_folder, "disk.qcow2");
        using var make = new ChildProcess(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw", image, "1M"], new Dictionary<string, string>());
        Assert.True(await make.WaitAsync(Token) == 0, make.Said);
        var problem = await FailAsync(text => DiskImage(text, image));
        Assert.Contains("/etc/passwd", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PortOfTheAnswerServer_InUse_IsNamed()
    {
        var port = BuildNode.FreePort();
        using var taken = new TcpListener(IPAddress.Loopback, port);
        taken.Start();
        var problem = await FailAsync(text => Set(Set(text, "http_port_min", $"{port}"), "http_port_max", $"{port}"), noCache: true);
        Assert.Contains($"{port}", problem.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(problem.Remedy);
    }

    [Fact]
    public async Task PortForSsh_InUse_IsNamed()
    {
        var port = BuildNode.FreePort();
        using var taken = new TcpListener(IPAddress.Loopback, port);
        taken.Start();
        var problem = await FailAsync(text => text.Replace(
            "ssh_username ", $"host_port_min = {port}\n  host_port_max = {port}\n  ssh_username ", StringComparison.Ordinal));
        Assert.Contains($"{port}", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OutputFolder_ThatIsThere_IsNotTouchedWithoutForce()
    {
        var output = Path.Combine(_folder, "out");
        Directory.CreateDirectory(output);
        var mine = Path.Combine(output, "mini");
        await File.WriteAllTextAsync(mine, "mine", Token);
        string Change(string text) => text.Replace(
            "ssh_username ", $"output_directory = \"{output}\"\n  vm_name = \"mini\"\n  ssh_username ", StringComparison.Ordinal);
        var problem = await FailAsync(Change);
        Assert.Equal(ProblemKind.Conflict, problem.Kind);
        Assert.Contains("-force", problem.Remedy, StringComparison.Ordinal);

        // With -force it is replaced at the very end, so a build that fails still leaves it.
        await Assert.ThrowsAsync<ProblemException>(() => builds.BuildAsync(
            "bad", BuildNode.Shell("exit 5"), new Lines(), new BuildOptions { Force = true }, Change));
        Assert.Equal("mine", await File.ReadAllTextAsync(mine, Token));
        Assert.Equal(["out"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName));
        await builds.BuildAsync("forced", BuildNode.Shell("echo one > /root/last"), new Lines(), new BuildOptions { Force = true }, Change);
        Assert.Equal("QFI"u8.ToArray(), (await File.ReadAllBytesAsync(mine, Token))[..3]);
    }

    [Theory]
    [InlineData("400m", "needs 768 MiB")]
    [InlineData("900m", "the disk is full")]
    public async Task FullDisk_EndsTheBuild_AndLeavesNothing(string size, string said)
    {
        // A file system of its own, gone with the process: a small disk without touching this one.
        var template = builds.Write("full", BuildNode.Shell("dd if=/dev/urandom of=/root/fill bs=1M count=900"));
        const string Script = """
            mount -t tmpfs -o size="$1" tmpfs "$2" || exit 99
            export GANTRY_HOME="$2"
            "$3" build "$4"
            echo "exit code $?"
            # Whole layers of earlier steps may stay; without them nothing does.
            "$3" build cache prune --all
            find "$2/volumes" "$2/machines" "$2/layers" "$2/builds" -mindepth 1 ! -path "$2/builds/[0-9a-f]*" | sed 's/^/left: /'
            exit 0
            """;
        using var build = new ChildProcess(
            "unshare",
            ["-m", "sh", "-c", Script, "sh", size, _folder, Path.Combine(AppContext.BaseDirectory, "gantry"), template],
            new Dictionary<string, string>());
        Assert.True(await build.WaitAsync(Token) == 0, build.Said);
        Assert.Contains(said, build.Said, StringComparison.Ordinal);
        Assert.Contains("exit code 5", build.Said, StringComparison.Ordinal);
        Assert.Contains("gantry build cache prune", build.Said, StringComparison.Ordinal);
        Assert.Contains("removed ", build.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("left: ", build.Said, StringComparison.Ordinal);
    }

    private async Task<Problem> FailAsync(Func<string, string> change, bool noCache = false)
    {
        var before = builds.VolumeFiles().ToList();
        var problem = await Assert.ThrowsAsync<ProblemException>(
            () => builds.BuildAsync("bad", BuildNode.Shell("true"), new Lines(), new BuildOptions { NoCache = noCache }, change));
        Assert.Null(await builds.Node.Templates.FindAsync("bad", Token));
        await builds.AssertNothingLeftAsync(before);
        return problem.Problem;
    }

    /// <summary>The template with another value of one argument.</summary>
    private static string Set(string text, string name, string value) =>
        string.Join('\n', text.Split('\n').Select(line => line.TrimStart().StartsWith(name + " ", StringComparison.Ordinal) ? $"  {name} = {value}" : line));

    private static string DiskImage(string text, string image)
    {
        var without = string.Join('\n', text.Split('\n').Where(line =>
            !line.TrimStart().StartsWith("kernel", StringComparison.Ordinal) && !line.TrimStart().StartsWith("initrd", StringComparison.Ordinal)
            && !line.TrimStart().StartsWith("disk_size", StringComparison.Ordinal)));
        return Set(Set(without, "iso_url", $"\"{image}\""), "iso_checksum", "\"none\"\n  disk_image = true");
    }
}
