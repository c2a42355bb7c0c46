using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Engines.Tests.Qemu.Host;

public sealed class FirmwareCatalogTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("gantry-engines-");

    [Fact]
    public void PlainUefi_IsPreferredOverSecureBoot()
    {
        Describe("40-secure.json", "/fw/SECURE.fd", "/fw/SECURE_VARS.fd", features: "\"secure-boot\",\"requires-smm\",\"enrolled-keys\"");
        Describe("50-secure-empty.json", "/fw/EMPTY.fd", "/fw/EMPTY_VARS.fd", features: "\"secure-boot\",\"requires-smm\"");
        Describe("60-plain.json", "/fw/PLAIN.fd", "/fw/PLAIN_VARS.fd");
        var plain = Find(new FirmwareSpec());
        Assert.Equal(At("/fw/PLAIN.fd"), plain.Code);
        Assert.Equal(At("/fw/PLAIN_VARS.fd"), plain.VariablesTemplate);
        Assert.False(plain.RequiresSmm);
        var secure = Find(new FirmwareSpec { SecureBoot = true });
        Assert.Equal(At("/fw/SECURE.fd"), secure.Code);
        Assert.True(secure.RequiresSmm);
    }

    [Fact]
    public void SecureBootWithoutKeys_IsTheSecondChoiceForPlainUefi()
    {
        Describe("40-secure.json", "/fw/SECURE.fd", "/fw/SECURE_VARS.fd", features: "\"secure-boot\",\"enrolled-keys\"");
        Describe("50-empty.json", "/fw/EMPTY.qcow2", "/fw/EMPTY_VARS.qcow2", "qcow2", "\"secure-boot\",\"requires-smm\"");
        var found = Find(new FirmwareSpec());
        Assert.Equal(At("/fw/EMPTY.qcow2"), found.Code);
        Assert.Equal(VolumeFormat.Qcow2, found.CodeFormat);
        Assert.True(found.RequiresSmm);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"interface-types":["uefi"],"mapping":{"device":"flash","mode":"combined","executable":{"filename":"/fw/X","format":"raw"}},"targets":[],"features":[]}""")]
    [InlineData("""{"interface-types":["bios"],"mapping":{"device":"memory","filename":"/fw/X"},"targets":[],"features":[]}""")]
    public void DescriptorOfOtherKind_IsPassedOver(string text)
    {
        Write("/descriptors/10-odd.json", text);
        Describe("60-plain.json", "/fw/PLAIN.fd", "/fw/PLAIN_VARS.fd");
        Assert.Equal(At("/fw/PLAIN.fd"), Find(new FirmwareSpec()).Code);
    }

    [Fact]
    public void DescriptorWhoseFilesAreMissing_IsPassedOver()
    {
        Describe("10-gone.json", "/fw/GONE.fd", "/fw/GONE_VARS.fd");
        File.Delete(At("/fw/GONE.fd"));
        Describe("60-plain.json", "/fw/PLAIN.fd", "/fw/PLAIN_VARS.fd");
        Assert.Equal(At("/fw/PLAIN.fd"), Find(new FirmwareSpec()).Code);
    }

    [Fact]
    public void NoDescriptors_KnownPlacesServe()
    {
        Write("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "");
        Write("/usr/share/edk2/x64/OVMF_VARS.4m.fd", "");
        Assert.Equal(At("/usr/share/edk2/x64/OVMF_CODE.4m.fd"), Find(new FirmwareSpec()).Code);
    }

    [Fact]
    public void NothingInstalled_IsSaidWithThePackage()
    {
        var problem = Assert.Throws<ProblemException>(() => Find(new FirmwareSpec { SecureBoot = true })).Problem;
        Assert.Contains("Secure Boot", problem.Summary, StringComparison.Ordinal);
        Assert.Contains("ovmf", problem.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void FirmwareForOtherMachine_DoesNotFit()
    {
        Describe("60-plain.json", "/fw/PLAIN.fd", "/fw/PLAIN_VARS.fd", machine: "microvm");
        Assert.Throws<ProblemException>(() => Find(new FirmwareSpec()));
    }

    [Fact]
    public void NamedFiles_AreTakenAsTheyAre()
    {
        Write("/mine/code.fd", "");
        Write("/mine/vars.fd", "");
        var found = Find(new FirmwareSpec { CodeFile = At("/mine/code.fd"), VariablesFile = At("/mine/vars.fd") });
        Assert.Equal(At("/mine/code.fd"), found.Code);
        Assert.Equal(At("/mine/vars.fd"), found.VariablesTemplate);
        Assert.Throws<ProblemException>(
            () => Find(new FirmwareSpec { CodeFile = At("/mine/none.fd"), VariablesFile = At("/mine/vars.fd") }));
    }

    private FirmwareFiles Find(FirmwareSpec spec) =>
        new FirmwareCatalog([At("/descriptors")], _root.FullName)
            .Find(Isa.X86_64, spec with { Kind = FirmwareKind.Uefi }, "pc-q35-7.2");

    private void Describe(
        string name, string code, string variables, string format = "raw", string features = "", string machine = "pc-q35-*")
    {
        Write(code, "");
        Write(variables, "");
        Write("/descriptors/" + name, $$"""
            {"interface-types":["uefi"],
             "mapping":{"device":"flash","executable":{"filename":"{{code}}","format":"{{format}}" },
                        "nvram-template":{"filename":"{{variables}}","format":"{{format}}" } },
             "targets":[{"architecture":"x86_64","machines":["{{machine}}"] }],
             "features":[{{features}}],"tags":[]}
            """);
    }

    private string At(string path) => Path.Combine(_root.FullName, path.TrimStart('/'));

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), text);
    }

    public void Dispose() => _root.Delete(recursive: true);
}
