namespace Gantry.App.Tests.Scripts;

/// <summary>The shell scripts at the root, as far as they can be run without a build or an installation.</summary>
public sealed class LauncherTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-launcher-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("ID=debian\nVERSION_ID=\"12\"", "config/debian/12/packages-microsoft-prod.deb && dpkg -i")]
    [InlineData("ID=debian\nVERSION_ID=\"13\"", "config/debian/13/packages-microsoft-prod.deb && dpkg -i")]
    [InlineData("ID=ubuntu\nVERSION_ID=\"24.04\"", "apt-get update && apt-get install -y dotnet-sdk-10.0")]
    [InlineData("ID=ubuntu\nVERSION_ID=\"26.04\"", "apt-get update && apt-get install -y dotnet-sdk-10.0")]
    [InlineData("ID=fedora\nVERSION_ID=44", "dnf install -y dotnet-sdk-10.0")]
    [InlineData("ID=rocky\nID_LIKE=\"rhel centos fedora\"", "dnf install -y dotnet-sdk-10.0")]
    [InlineData("ID=arch", "pacman -S --needed dotnet-sdk-10.0")]
    [InlineData("ID=opensuse-leap\nVERSION_ID=\"16.0\"", "zypper install -y dotnet-sdk-10.0")]
    [InlineData("ID=nixos\nVERSION_ID=\"25.11\"", "curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0")]
    public async Task WithoutAnSdk_TheLineForTheDistributionIsPrinted(string osRelease, string expected)
    {
        var file = Path.Combine(_folder, "os-release");
        await File.WriteAllTextAsync(file, osRelease + "\n", TestContext.Current.CancellationToken);
        var (code, output, error) = await Shell.RunAsync(
            ["bash", "-c", ". \"$0/scripts/dotnet.sh\"; dotnet_major=99; HOME=/nonexistent; require_dotnet gantry", Shell.Root],
            ("OS_RELEASE", file), ("DOTNET_ROOT", null), ("PATH", "/usr/bin:/bin"));
        Assert.Equal((ExitCodes.Unavailable, ""), (code, output));
        Assert.Contains(expected, error.Replace("sudo ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(3, error.TrimEnd().Split('\n').Length);
    }

    [Theory]
    [InlineData("OSTYPE=darwin24 HOSTTYPE=arm64")]
    [InlineData("OSTYPE=linux-gnu HOSTTYPE=riscv64")]
    public async Task OtherHosts_AreToldInOneSentence(string host)
    {
        var (code, _, error) = await Shell.RunAsync(
            ["bash", "-c", $". \"$0/scripts/dotnet.sh\"; {host}; require_host gantry", Shell.Root]);
        Assert.Equal(ExitCodes.Unavailable, code);
        Assert.StartsWith("gantry: Gantry runs on Linux on x86_64 and arm64; this is ", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task ChangedSources_MakeTheProgramStale_AndCompletionNeverBuilds()
    {
        // A tree with a program that was built: a copy of the launcher, and a stand-in for the program.
        foreach (var script in new[] { "gantry", "scripts/dotnet.sh" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, script))!);
            File.Copy(Path.Combine(Shell.Root, script), Path.Combine(_folder, script));
        }

        Directory.CreateDirectory(Path.Combine(_folder, "src"));
        var prepare = """
            cd "$0" && . scripts/dotnet.sh && require_host test && find_dotnet || exit
            touch Directory.Build.props global.json
            mkdir -p artifacts/gantry/$rid/current && cd artifacts/gantry/$rid
            printf '#!/bin/sh\necho built "$@"\n' >current/gantry && chmod +x current/gantry
            echo "$dotnet_root $dotnet_sdks" >stamp
            # Times count in whole seconds on some file systems.
            touch -d '+2 seconds' stamp
            """;
        Assert.Equal((0, "", ""), await Shell.RunAsync(["bash", "-c", prepare, _folder]));
        var gantry = Path.Combine(_folder, "gantry");
        Assert.Equal((0, "built a b\n", ""), await Shell.RunAsync([gantry, "a", "b"]));

        File.WriteAllText(Path.Combine(_folder, "src", "New.cs"), "");
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "src", "New.cs"), new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal((0, "built\n", ""), await Shell.RunAsync([gantry], ("GANTRY_NO_BUILD", "1")));
        var (code, output, error) = await Shell.RunAsync([gantry]);
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("Building Gantry…\n", error, StringComparison.Ordinal);
        Assert.Contains("could not be built", error, StringComparison.Ordinal);
        // An interrupted or failed build is tried again, although nothing changed since.
        Assert.Equal(1, (await Shell.RunAsync([gantry])).Code);
    }

    [Fact]
    public async Task MissingPackages_AreNamedAsTheDistributionCallsThem()
    {
        var file = Path.Combine(_folder, "os-release");
        await File.WriteAllTextAsync(file, "ID=fedora\n", TestContext.Current.CancellationToken);
        var (code, output, error) = await Shell.RunAsync(
            ["bash", "-c", ". \"$0/scripts/packages.sh\"; package_present() { [[ $1 != swtpm ]]; }; install_packages test tests", Shell.Root],
            ("OS_RELEASE", file));
        Assert.Equal((ExitCodes.Unavailable, ""), (code, output));
        Assert.Contains("dnf install -y swtpm", error, StringComparison.Ordinal);
    }
}
