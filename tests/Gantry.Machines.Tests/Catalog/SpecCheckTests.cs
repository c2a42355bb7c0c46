using Gantry.Machines.Create;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Machines.Tests.Catalog;

public sealed class SpecCheckTests
{
    private static readonly MachineSpec Good = new()
    {
        Name = "web",
        Isa = Isa.X86_64,
        Disks = [new DiskSpec { Volume = new VolumeId("0123456789abcdef") }],
        NetworkCards =
        [
            new NetworkCardSpec { Mac = "52:54:00:00:00:01", Published = [new PublishedPort { HostPort = 0, GuestPort = 22 }] },
        ],
    };

    public static TheoryData<string, MachineSpec> Bad => new()
    {
        { "CPUs", Good with { Cpu = new CpuTopology { Count = 0 } } },
        { "memory", Good with { MemoryMiB = 8 } },
        { "keyboard layout 'xx'", Good with { KeyboardLayout = "xx" } },
        { "cache a disk", Good with { Disks = [Good.Disks[0] with { Cache = "fast" }] } },
        { "address of a network card", WithCard(Good.NetworkCards[0] with { Mac = "53:54:00:00:00:01" }) },
        { "no IP address", WithPort(new PublishedPort { Address = "here", HostPort = 1, GuestPort = 1 }) },
        { "pair of ports", WithPort(new PublishedPort { HostPort = 70000, GuestPort = 1 }) },
        { "no folder", Good with { SharedFolders = [new SharedFolder { HostPath = "/no/such", Tag = "x" }] } },
        { "tag of a shared folder", Good with { SharedFolders = [new SharedFolder { HostPath = "/tmp", Tag = "a b" }] } },
        { "user-data", Good with { CloudInit = new CloudInit { UserData = new string('x', SpecCheck.LargestUserData + 1) } } },
        { "notes", Good with { Notes = new string('x', 5000) } },
    };

    [Fact]
    public void Check_OfAGoodSpec_SaysNothing() => SpecCheck.Check(Good);

    [Theory]
    [MemberData(nameof(Bad))]
    public void Check_OfABadSpec_NamesWhatIsWrong(string expected, MachineSpec spec)
    {
        var problem = Assert.Throws<ProblemException>(() => SpecCheck.Check(spec)).Problem;
        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        Assert.Contains(expected, problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_OfSeveralMistakes_NamesThemAll()
    {
        var problem = Assert.Throws<ProblemException>(
            () => SpecCheck.Check(Good with { MemoryMiB = 1, Cpu = new CpuTopology { Count = -1 } })).Problem;
        Assert.Equal(2, problem.Detail.Split('\n').Length);
    }

    [Fact]
    public void CheckChange_OfWhatAMachineCannotChange_IsRefused()
    {
        foreach (var after in new[]
        {
            Good with { Isa = Isa.Aarch64 },
            Good with { Firmware = new FirmwareSpec { Kind = FirmwareKind.Uefi } },
            Good with { Disks = [] },
            Good with { Disks = [Good.Disks[0] with { Volume = new VolumeId("ffffffffffffffff") }] },
        })
        {
            Assert.Throws<ProblemException>(() => SpecCheck.CheckChange(Good, after));
        }

        SpecCheck.CheckChange(Good, Good with { Name = "other", MemoryMiB = 1024, Disks = [Good.Disks[0] with { Bus = DiskBus.Sata }] });
    }

    private static MachineSpec WithCard(NetworkCardSpec card) => Good with { NetworkCards = [card] };

    private static MachineSpec WithPort(PublishedPort port) => WithCard(Good.NetworkCards[0] with { Published = [port] });
}
