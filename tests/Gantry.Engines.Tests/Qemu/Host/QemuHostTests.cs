using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Tests.Qemu.Host;

public sealed class QemuHostTests : IDisposable
{
    private const string Help = """
        Supported machines are:
        microvm              microvm (i386)
        pc                   Standard PC (i440FX + PIIX, 1996) (alias of pc-i440fx-7.2)
        pc-i440fx-7.2        Standard PC (i440FX + PIIX, 1996) (default)
        pc-i440fx-7.1        Standard PC (i440FX + PIIX, 1996)
        pc-i440fx-1.7        Standard PC (i440FX + PIIX, 1996) (deprecated)
        q35                  Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-7.2)
        pc-q35-7.2           Standard PC (Q35 + ICH9, 2009)
        none                 empty machine
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-engines-");

    private string Runs => Path.Combine(_folder.FullName, "runs");

    [Fact]
    public void MachineTypes_OfHelp_CarryTheirAliases()
    {
        var types = QemuHost.ParseMachineTypes(Help);
        Assert.Equal(6, types.Count);
        Assert.Contains(new QemuMachineType("pc-i440fx-7.2", "pc", false), types);
        Assert.Contains(new QemuMachineType("pc-q35-7.2", "q35", false), types);
        Assert.Contains(new QemuMachineType("pc-i440fx-1.7", null, true), types);
        Assert.Contains(new QemuMachineType("microvm", null, false), types);
    }

    [Fact]
    public void Binary_AskedOnce_IsNotRunAgainUntilItChanges()
    {
        var program = FakeQemu("7.2.22");
        var facts = Path.Combine(_folder.FullName, "facts");
        var first = new QemuHost(facts).BinaryAt(program);
        Assert.Equal("7.2.22", first.Version);
        Assert.Equal(64, first.Digest.Length);
        Assert.Equal(first, new QemuHost(facts).BinaryAt(program));
        Assert.Equal(2, File.ReadAllLines(Runs).Length);
        File.WriteAllText(Directory.GetFiles(facts).Single(), "{ broken");
        Assert.Equal(first, new QemuHost(facts).BinaryAt(program));
        Assert.Equal(4, File.ReadAllLines(Runs).Length);
        FakeQemu("9.0.0-much-newer");
        var upgraded = new QemuHost(facts).BinaryAt(program);
        Assert.Equal("9.0.0", upgraded.Version);
        Assert.NotEqual(first.Digest, upgraded.Digest);
    }

    [Fact]
    public void Facts_InUnwritableFolder_AreStillFound() =>
        Assert.Equal("7.2.22", new QemuHost("/proc/no-such-folder").BinaryAt(FakeQemu("7.2.22")).Version);

    [Fact]
    public void Program_ThatIsNoQemu_IsSaid() =>
        Assert.Throws<ProblemException>(() => new QemuHost(_folder.FullName).BinaryAt("/bin/true"));

    [Fact]
    public void MissingProgram_IsSaid() => Assert.Equal(
        ProblemKind.NotFound,
        Assert.Throws<ProblemException>(() => new QemuHost(_folder.FullName).BinaryAt("/no/such")).Problem.Kind);

    [Fact]
    public void InstallLine_NamesEveryDistributionThatHasThePackage()
    {
        Assert.Contains("apt-get install -y qemu-system-ppc", IsaProfiles.For(Isa.Ppc64le).Package.InstallLine(), StringComparison.Ordinal);
        Assert.DoesNotContain("Arch", IsaProfiles.For(Isa.Riscv64).FirmwarePackage!.InstallLine(), StringComparison.Ordinal);
    }

    [Fact]
    public void Profiles_OfEveryIsa_AreComplete()
    {
        foreach (var isa in Enum.GetValues<Isa>())
        {
            var profile = IsaProfiles.For(isa);
            Assert.Equal(isa, profile.Isa);
            Assert.NotEqual(MachineFamily.Other, IsaProfile.FamilyOf(profile.MachineType));
            Assert.NotEqual(MachineFamily.Other, IsaProfile.FamilyOf(profile.UefiMachineType));
        }
    }

    /// <summary>Answers as QEMU does and notes each run.</summary>
    private string FakeQemu(string version)
    {
        var path = Path.Combine(_folder.FullName, "qemu-system-x86_64");
        var help = Path.Combine(_folder.FullName, "help");
        File.WriteAllText(help, Help);
        File.WriteAllText(
            path,
            $"#!/bin/sh\necho \"$@\" >>{Runs}\n[ \"$1\" = --version ] && echo 'QEMU emulator version {version} (Debian)' || cat {help}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
