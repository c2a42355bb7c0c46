using System.Text.Json;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Model.Tests;

public sealed class RecordJsonTests
{
    private static readonly MachineSpec Spec = new()
    {
        Name = "rezowifix",
        Isa = Isa.X86_64,
        Disks = [new DiskSpec { Volume = new VolumeId("00112233aabbccdd") }],
        NetworkCards =
        [
            new NetworkCardSpec
            {
                Mac = "52:54:00:12:34:56",
                Published = [new PublishedPort { HostPort = 8080, GuestPort = 80 }],
            },
        ],
        Tags = ["web", "demo"],
    };

    [Fact]
    public void MachineSpec_ThroughJson_IsEqual()
    {
        var json = JsonSerializer.Serialize(Spec, ModelJson.Default.MachineSpec);
        var back = JsonSerializer.Deserialize(json, ModelJson.Default.MachineSpec);
        Assert.Equal(Spec, back);
        Assert.Contains("\"isa\":\"X86_64\"", json, StringComparison.Ordinal);
        Assert.Contains("\"volume\":\"00112233aabbccdd\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public void MachineSpec_WithAnUnknownMember_IsRefused()
    {
        var json = JsonSerializer.Serialize(Spec, ModelJson.Default.MachineSpec).Replace("\"notes\"", "\"note\"", StringComparison.Ordinal);
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, ModelJson.Default.MachineSpec));
    }

    [Theory]
    [InlineData("web", true)]
    [InlineData("web-2", true)]
    [InlineData("2web", true)]
    [InlineData("a", true)]
    [InlineData("100", false)]
    [InlineData("Web", false)]
    [InlineData("-web", false)]
    [InlineData("web-", false)]
    [InlineData("", false)]
    [InlineData("web\n", false)]
    [InlineData("../web", false)]
    public void Names_AreHostNamesThatAreNotNumbers(string name, bool valid) => Assert.Equal(valid, Names.IsValid(name));
}
