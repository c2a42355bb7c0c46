using CsCheck;
using Gantry.Machines.Guest;
using Gantry.Model;
using Gantry.Model.Machines;
using YamlDotNet.RepresentationModel;

namespace Gantry.Machines.Tests.Guest;

public sealed class CloudInitSeedTests
{
    private const string Mac = "52:54:00:12:34:56";

    [Fact]
    public void Seed_UserWithKeyAndPassword_IsAsWritten()
    {
        var settings = new CloudInit { User = "ana", PasswordHash = "$6$salt$hash", SshKeys = ["ssh-ed25519 AAAA ana@home"] };
        var files = CloudInitSeed.Files(settings, "rezowifix", "i-1", [Mac, "52:54:00:12:34:57"], "{}");
        Assert.Equal(["meta-data", "user-data", "network-config", "gantry.json"], files.Select(f => f.Name));
        Assert.Equal("instance-id: \"i-1\"\nlocal-hostname: \"rezowifix\"\n", files[0].Content);
        Assert.Equal(
            """
            #cloud-config
            hostname: "rezowifix"
            preserve_hostname: false
            users:
              - name: "ana"
                shell: "/bin/bash"
                sudo: "ALL=(ALL) NOPASSWD:ALL"
                lock_passwd: false
                passwd: "$6$salt$hash"
                ssh_authorized_keys:
                  - "ssh-ed25519 AAAA ana@home"
            ssh_pwauth: true

            """,
            files[1].Content);
        Assert.Equal(
            """
            version: 2
            ethernets:
              card0:
                match:
                  macaddress: "52:54:00:12:34:56"
                dhcp4: true
                dhcp6: true
              card1:
                match:
                  macaddress: "52:54:00:12:34:57"
                dhcp4: true
                dhcp6: true
                dhcp4-overrides:
                  use-routes: false

            """,
            files[2].Content);
        Assert.Equal("{}", files[3].Content);
    }

    [Fact]
    public void Seed_DefaultUser_GetsKeysAndPassword()
    {
        var settings = new CloudInit { PasswordHash = "$6$s$h", SshKeys = ["k1", "k2"] };
        var text = CloudInitSeed.Files(settings, "m", "i", [])[1].Content;
        Assert.Equal(
            """
            #cloud-config
            hostname: "m"
            preserve_hostname: false
            password: "$6$s$h"
            chpasswd:
              expire: false
            ssh_authorized_keys:
              - "k1"
              - "k2"
            ssh_pwauth: true

            """,
            text);
    }

    [Fact]
    public void Seed_Root_IsLetIn()
    {
        var settings = new CloudInit { User = "root", PasswordHash = "$6$s$h", SshKeys = ["k1"] };
        var text = CloudInitSeed.Files(settings, "m", "i", [])[1].Content;
        Assert.Contains("disable_root: false\n", text, StringComparison.Ordinal);
        Assert.Contains("    - \"root:$6$s$h\"\n", text, StringComparison.Ordinal);
        Parse(text);
    }

    [Fact]
    public void Seed_OwnFiles_ReplaceWhatIsWritten()
    {
        var settings = new CloudInit { UserData = "#!/bin/sh\necho x\n", NetworkConfig = "version: 1\n", SshKeys = ["k1"] };
        var files = CloudInitSeed.Files(settings, "m", "i", [Mac]);
        Assert.Equal("#!/bin/sh\necho x\n", files[1].Content);
        Assert.Equal("version: 1\n", files[2].Content);
        Assert.Contains("public-keys:\n  - \"k1\"\n", files[0].Content, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("-x")]
    [InlineData("a\nb")]
    [InlineData("a:b")]
    public void Seed_UserThatIsNone_IsRefused(string user)
    {
        var e = Assert.Throws<ProblemException>(() => CloudInitSeed.Files(new CloudInit { User = user }, "m", "i", []));
        Assert.Equal(ProblemKind.InvalidInput, e.Problem.Kind);
    }

    [Fact]
    public void Seed_UserDataTooLarge_IsRefused() => Assert.Throws<ProblemException>(() =>
        CloudInitSeed.Files(new CloudInit { UserData = new string('ä', 600_000) }, "m", "i", []));

    [Theory]
    [InlineData("no")]
    [InlineData("12:30")]
    [InlineData("a: b # c")]
    [InlineData("\"\\\n\r\t\0\u0085\u2028\uFEFF")]
    [InlineData("😀 ☃ é")]
    [InlineData("")]
    public void Quoted_AnyText_IsReadBackByAnotherParser(string text) => AssertRoundTrip(text);

    [Fact]
    public void Quoted_RandomText_IsReadBackByAnotherParser() =>
        Gen.OneOf(Gen.Char['\0', '\u00FF'], Gen.Char['\u2000', '\u2100'], Gen.Char['\uFE00', '\uFFFD'])
            .Array[0, 40].Select(chars => new string(chars)).Sample(AssertRoundTrip, iter: 2000);

    private static void AssertRoundTrip(string text)
    {
        var settings = new CloudInit { SshKeys = [$"x{text}x"] };
        var root = Parse(CloudInitSeed.Files(settings, "m", "i", [])[1].Content);
        var keys = (YamlSequenceNode)root.Children[new YamlScalarNode("ssh_authorized_keys")];
        Assert.Equal($"x{text}x", ((YamlScalarNode)keys.Children.Single()).Value);
    }

    private static YamlMappingNode Parse(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return (YamlMappingNode)stream.Documents.Single().RootNode;
    }
}
