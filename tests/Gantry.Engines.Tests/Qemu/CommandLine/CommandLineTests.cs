using System.Text.Json;
using CsCheck;
using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Engines.Tests.Qemu.CommandLine;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("-uuid", "0")]
    [InlineData("--uuid", "0")]
    [InlineData("-daemonize", null)]
    [InlineData("-incoming", "defer")]
    [InlineData("cpu", "host")]
    [InlineData("-", null)]
    public void Switch_ThatTakesMachineAway_IsRefused(string name, string? value) =>
        Assert.Equal(ProblemKind.InvalidInput, Refusal(Launches.Plain().WithSwitches((name, value))).Kind);

    [Fact]
    public void RawImage_OverAnother_IsRefused() => Refusal(Launches.Plain() with
    {
        Disks = [new LaunchDisk { Chain = [Launches.Link("top", VolumeFormat.Raw), Launches.Link("base")] }],
    });

    [Fact]
    public void IdeDrives_BeyondFour_AreRefused() => Refusal(Launches.Plain() with
    {
        Disks = [.. Enumerable.Range(0, 5).Select(i => new LaunchDisk { Chain = [Launches.Link($"{i}")], Bus = DiskBus.Ide })],
    });

    [Theory]
    [InlineData("::1", 80, 80)]
    [InlineData("localhost", 80, 80)]
    [InlineData("127.0.0.1,id=x", 80, 80)]
    [InlineData("127.0.0.1", 0, 80)]
    [InlineData("127.0.0.1", 80, 65536)]
    public void PublishedPort_ThatIsNone_IsRefused(string address, int host, int guest) =>
        Refusal(Launches.Plain() with { Ports = [new LaunchPort(0, address, host, guest)] });

    [Fact]
    public void UnknownCache_IsRefused() => Refusal(Launches.Plain() with
    {
        Disks = [new LaunchDisk { Chain = [Launches.Link("a")], Cache = "fast" }],
    });

    [Fact]
    public void Floppy_OnArm_IsRefused() => Refusal(Launches.Plain(Isa.Aarch64) with { Floppy = "/a.img" });

    [Fact]
    public void UnresolvedSpec_IsABug() => Assert.Throws<ArgumentException>(
        () => QemuCommandLine.Build(Launches.Plain().With(s => s with { MachineType = null })));

    /// <summary>What an image's own header says about its backing file must never count.</summary>
    [Fact]
    public void EveryFormatNode_OfAnyChain_NamesItsBackingNode() =>
        Gen.Select(Gen.Int[1, 9], Gen.Bool).Sample((length, isRawBase) =>
        {
            var chain = Enumerable.Range(0, length)
                .Select(i => Launches.Link($"v{i}", isRawBase && i == length - 1 ? VolumeFormat.Raw : VolumeFormat.Qcow2));
            var launch = Launches.Plain() with { Disks = [new LaunchDisk { Chain = [.. chain] }] };
            var nodes = Blockdevs(launch);
            Assert.Equal(length, nodes.Count);
            string? beneath = null;
            foreach (var node in nodes)
            {
                Assert.Equal("file", node.GetProperty("file").GetProperty("driver").GetString());
                Assert.Equal(node.GetProperty("node-name").GetString() != "disk0", node.GetProperty("read-only").GetBoolean());
                if (node.GetProperty("driver").GetString() == "qcow2")
                    Assert.Equal(beneath, node.GetProperty("backing").GetString());
                beneath = node.GetProperty("node-name").GetString();
            }
            Assert.Equal("disk0", beneath);
        });

    [Fact]
    public void AnyPathAndName_StaysOneValue() =>
        Gen.String[Gen.Char[" ,=\"'\\:;%ü/-abc"], 1, 20].Sample(text =>
        {
            var launch = Launches.Plain().With(s => s with
            {
                Name = text,
                SharedFolders = [new SharedFolder { HostPath = "/" + text, Tag = "t" }],
            }) with
            { Disks = [new LaunchDisk { Chain = [new ChainLink("/" + text, VolumeFormat.Qcow2)] }] };
            var arguments = QemuCommandLine.Build(launch);
            var plain = QemuCommandLine.Build(Launches.Plain().With(s => s with
            {
                SharedFolders = [new SharedFolder { HostPath = "/x", Tag = "t" }],
            }) with
            { Disks = [new LaunchDisk { Chain = [new ChainLink("/x", VolumeFormat.Qcow2)] }] });
            Assert.Equal(plain.Count, arguments.Count);
            Assert.Equal("/" + text, Blockdevs(launch)[0].GetProperty("file").GetProperty("filename").GetString());
            var share = arguments[arguments.ToList().IndexOf("-fsdev") + 1];
            Assert.Equal(
                ["local", "id=share0", "path=/" + text, "security_model=mapped-xattr", "fmode=0644", "dmode=0755", "multidevs=remap"],
                SplitLikeQemu(share));
        });

    /// <summary>As QEMU's option parser does: a doubled comma is a comma.</summary>
    private static List<string> SplitLikeQemu(string value)
    {
        var parts = new List<string> { "" };
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == ',' && (i + 1 >= value.Length || value[i + 1] != ','))
                parts.Add("");
            else
            {
                parts[^1] += value[i];
                if (value[i] == ',')
                    i++;
            }
        }
        return parts;
    }

    private static List<JsonElement> Blockdevs(QemuLaunch launch)
    {
        var arguments = QemuCommandLine.Build(launch);
        return [.. Enumerable.Range(0, arguments.Count).Where(i => arguments[i] == "-blockdev")
            .Select(i => JsonElement.Parse(arguments[i + 1]))];
    }

    private static Problem Refusal(QemuLaunch launch) =>
        Assert.Throws<ProblemException>(() => QemuCommandLine.Build(launch)).Problem;
}
