using System.Text;
using System.Text.Json;
using Gantry.Model.Images;
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

    private static readonly MachineRecord Record = new()
    {
        Number = new MachineNumber(100),
        Uuid = new Guid("e3fe84e6-51a7-4ce5-a143-5ac4ee902e92"),
        Spec = Spec,
        Created = DateTimeOffset.UnixEpoch,
        InstanceId = "i-1",
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

    [Fact]
    public void MachineOutline_OfARecordsJson_SaysWhatTheRecordSays()
    {
        var record = Record with
        {
            Spec = Spec with
            {
                Isa = Isa.Ppc64le,
                Cpu = new CpuTopology { Count = 3 },
                MemoryMiB = 768,
                NetworkCards =
                [
                    .. Spec.NetworkCards,
                    new NetworkCardSpec
                    {
                        Mac = "52:54:00:12:34:57",
                        Published = [new PublishedPort { Address = "::1", HostPort = 0, GuestPort = 53, Udp = true }],
                    },
                ],
            },
            Provenance = new Provenance
            {
                Chain = [Link("template", "base"), Link("step", "shell 1"), Link("template", "web"), Link("step", "tail")],
            },
        };
        var outline = Outline(JsonSerializer.SerializeToUtf8Bytes(record, ModelJson.Default.MachineRecord));
        Assert.Equal((record.Number, record.Uuid, "rezowifix"), (outline.Number, outline.Uuid, outline.Name));
        Assert.Equal((Isa.Ppc64le, 3, 768, "web"), (outline.Isa, outline.Cpus, outline.MemoryMiB, outline.Template));
        Assert.Equal(record.Spec.NetworkCards.SelectMany(card => card.Published).ToValueList(), outline.Ports);
    }

    [Fact]
    public void MachineOutline_OfARecordWithoutPortsAndTemplate_HasNone()
    {
        var record = Record with { Spec = Spec with { NetworkCards = [] } };
        var outline = Outline(JsonSerializer.SerializeToUtf8Bytes(record, ModelJson.Default.MachineRecord));
        Assert.Empty(outline.Ports);
        Assert.Null(outline.Template);
    }

    [Theory]
    [InlineData("""{"number":100}""")]
    [InlineData("""{"number":100,"uuid":"00000000-0000-0000-0000-000000000001","spec":[]}""")]
    [InlineData("""{"number":"100"}""")]
    [InlineData("""{"number":100,"uuid":"no"}""")]
    [InlineData("""{"spec":{"isa":"Z80"}}""")]
    [InlineData("""{"spec":{"networkCards":[[]]}}""")]
    [InlineData("""{"spec":{""")]
    public void MachineOutline_OfAnythingElse_Throws(string json)
    {
        var error = Xunit.Record.Exception(() => Outline(Encoding.UTF8.GetBytes(json)));
        Assert.True(error is JsonException or InvalidOperationException or FormatException, $"{error}");
    }

    [Fact]
    public void MachineSpec_WrittenBeforeThereWerePolicies_IsReadWithNone()
    {
        var json = JsonSerializer.Serialize(Spec, ModelJson.Default.MachineSpec);
        var old = System.Text.RegularExpressions.Regex.Replace(json, "\"restart\":{[^}]*},", "");
        Assert.NotEqual(json, old);
        Assert.Equal(Spec, JsonSerializer.Deserialize(old, ModelJson.Default.MachineSpec));
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

    private static ProvenanceLink Link(string kind, string name) => new() { Kind = kind, Name = name, Digest = "00" };

    private static MachineOutline Outline(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        return MachineOutline.Read(ref reader);
    }
}
