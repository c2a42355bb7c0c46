using Gantry.App.Prerequisites;
using Gantry.Model;

namespace Gantry.App.Tests.Prerequisites;

public sealed class PrerequisiteInstallerTests
{
    private const string Debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n";

    [Fact]
    public void List_IsWellFormed_AndHasWhatTheDemoNeedsOnBothMachines()
    {
        Assert.Equal(HostPackages.All.Count, HostPackages.All.DistinctBy(package => package.Name).Count());
        Assert.All(HostPackages.All, package => Assert.NotEmpty(package.Packages));
        Assert.All(HostPackages.All.SelectMany(package => package.Uses), use =>
            Assert.Matches("^(demo|tests|bench|isa)(@(x86_64|aarch64))?$", use));
        Assert.Contains(HostPackages.For("demo", "x86_64"), package => package.Name == "qemu-x86");
        Assert.Contains(HostPackages.For("demo", "aarch64"), package => package.Name == "qemu-arm");
        Assert.DoesNotContain(HostPackages.For("demo", "aarch64"), package => package.Name == "qemu-x86");
        Assert.Throws<ArgumentException>(() => HostPackages.Named(["no-such"]));
    }

    [Theory]
    [InlineData("ID=ubuntu\nID_LIKE=debian\n", "Debian")]
    [InlineData("ID=\"linuxmint\"\nID_LIKE=\"ubuntu debian\"\n", "Debian")]
    [InlineData("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "Fedora")]
    [InlineData("ID=arch\n", "Arch")]
    [InlineData("ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n", "Suse")]
    [InlineData("ID=nixos\n", "Unknown")]
    [InlineData("", "Unknown")]
    public void Family_FollowsOsRelease(string osRelease, string family) =>
        Assert.Equal(family, HostPackages.FamilyOf(osRelease).ToString());

    [Fact]
    public async Task NothingMissing_RunsNothing()
    {
        var host = new FakeHost { OsRelease = Debian, Present = { "qemu-img" } };
        await EnsureAsync(host, "qemu-img");
        Assert.Empty(host.Ran);
    }

    [Theory]
    [InlineData("ID=debian\n", false, "run: sudo apt-get install -y --no-install-recommends qemu-utils swtpm")]
    [InlineData("ID=fedora\n", true, "run: dnf install -y qemu-img swtpm")]
    [InlineData("ID=arch\n", false, "run: sudo pacman -S --needed qemu-img swtpm")]
    [InlineData("ID=opensuse-leap\n", false, "run: sudo zypper install -y qemu-img swtpm")]
    [InlineData("ID=nixos\n", true, "install with your distribution's package manager: qemu-img swtpm")]
    public async Task WhereItCannotInstall_ItSaysTheOneLine(string osRelease, bool root, string remedy)
    {
        var host = new FakeHost { OsRelease = osRelease, IsRoot = root, Present = { "apt-get" } };
        var problem = (await Assert.ThrowsAsync<ProblemException>(() => EnsureAsync(host, "swtpm", "qemu-img"))).Problem;
        Assert.Equal(ProblemKind.Unavailable, problem.Kind);
        Assert.Equal(remedy, problem.Remedy);
        Assert.Empty(host.Ran);
    }

    [Fact]
    public async Task OnDebianAsRoot_InstallsWithoutUpdating_WhenListsAreThere()
    {
        var host = Root(installs: "qemu-img");
        await EnsureAsync(host, "qemu-img");
        Assert.Equal(["install -y --no-install-recommends qemu-utils"], host.Ran);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task WithoutOrWithOldLists_UpdatesThemOnce(bool lists, int failures)
    {
        var host = Root(installs: "qemu-img");
        host.HasPackageLists = lists;
        host.FailFirst = failures;
        await EnsureAsync(host, "qemu-img");
        Assert.Equal(["update", "install -y --no-install-recommends qemu-utils"], host.Ran[^2..]);
        Assert.Equal(lists ? 3 : 2, host.Ran.Count);
    }

    [Fact]
    public async Task AptThatFails_IsQuoted()
    {
        var host = Root(installs: "qemu-img");
        host.FailFirst = 9;
        var problem = (await Assert.ThrowsAsync<ProblemException>(() => EnsureAsync(host, "qemu-img"))).Problem;
        Assert.Contains("apt-get ended with code 100", problem.Summary, StringComparison.Ordinal);
        Assert.Contains("E: no space", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PackageThatDoesNotBringTheProgram_IsSaid()
    {
        var host = Root(installs: "something-else");
        var problem = (await Assert.ThrowsAsync<ProblemException>(() => EnsureAsync(host, "qemu-img"))).Problem;
        Assert.Equal("the demo needs qemu-img, which qemu-utils did not bring", problem.Summary);
    }

    [Fact]
    public async Task AptsStatusLines_BecomeProgress()
    {
        var progress = new Recorded();
        await new PrerequisiteInstaller(Root(installs: "qemu-img")).EnsureAsync(
            "the demo", HostPackages.Named(["qemu-img"]), progress, TestContext.Current.CancellationToken);
        Assert.Equal(["Installing qemu-utils", "percent 33", "Unpacking qemu-utils (amd64)", "E: no space"], progress.Seen);
    }

    [Fact]
    public async Task HostSoftware_SeesAndRunsWhatIsThere()
    {
        var host = new HostSoftware(name => name == "PATH" ? "/nonexistent:/usr/bin:/bin" : null);
        Assert.True(host.Exists("sh"));
        Assert.True(host.Exists("/etc/passwd"));
        Assert.False(host.Exists("no-such-program"));
        Assert.False(host.Exists("/no/such/file"));
        List<string> lines = [];
        var code = await host.RunAsync(
            ["sh", "-c", "echo \"$DEBIAN_FRONTEND $1\"; cat; exit 7", "sh", "a b"], lines.Add, TestContext.Current.CancellationToken);
        Assert.Equal(7, code);
        Assert.Equal(["noninteractive a b"], lines);
    }

    private static FakeHost Root(string installs) => new()
    {
        OsRelease = Debian,
        IsRoot = true,
        HasPackageLists = true,
        Present = { "apt-get" },
        Installs = installs,
    };

    private static Task EnsureAsync(FakeHost host, params string[] names) =>
        new PrerequisiteInstaller(host).EnsureAsync(
            "the demo", HostPackages.Named(names), NoProgress.Instance, TestContext.Current.CancellationToken);

    private sealed class FakeHost : IHostSoftware
    {
        public bool IsRoot { get; init; }

        public required string OsRelease { get; init; }

        public bool HasPackageLists { get; set; }

        public HashSet<string> Present { get; } = [];

        /// <summary>What is there after an installation.</summary>
        public string Installs { get; init; } = "";

        public int FailFirst { get; set; }

        /// <summary>apt-get's commands without the options before them.</summary>
        public List<string> Ran { get; } = [];

        public bool Exists(string probe) => Present.Contains(probe);

        public Task<int> RunAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancel)
        {
            Assert.Equal("apt-get", command[0]);
            var verb = command.SkipWhile(word => word is not ("install" or "update")).ToArray();
            Ran.Add(string.Join(' ', verb));
            line("pmstatus:qemu-utils:33.3333:Unpacking qemu-utils (amd64)");
            line("E: no space");
            if (verb[0] == "install" && FailFirst-- > 0)
                return Task.FromResult(100);
            if (verb[0] == "install")
                Present.Add(Installs);
            return Task.FromResult(0);
        }
    }

    private sealed class Recorded : IProgressSink
    {
        public List<string> Seen { get; } = [];

        public void Activity(string what) => Seen.Add(what);

        public void Amount(long done, long? total, string unit) => Seen.Add($"{unit} {done}");

        public void GuestLine(string line) => Seen.Add(line);

        public void Note(string line) => Seen.Add(line);
    }
}
