using Gantry.Engines.Host;
using Gantry.Engines.Qemu;

namespace Gantry.Engines.Tests.Host;

public sealed class CpuFactsTests
{
    private const string V2 = "fpu sse2 cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3";
    private const string V3 = V2 + " avx avx2 bmi1 bmi2 f16c fma abm movbe xsave";
    private const string V4 = V3 + " avx512f avx512bw avx512cd avx512dq avx512vl";

    [Theory]
    [InlineData("fpu sse2", 1)]
    [InlineData(V2, 2)]
    [InlineData(V3, 3)]
    [InlineData(V4, 4)]
    public void Level_FollowsFlags(string flags, int level) => Assert.Equal(level, X86("GenuineIntel", 6, 143, flags).Level);

    [Theory]
    [InlineData("GenuineIntel", 6, 0x8F, "Sapphire Rapids")]
    [InlineData("GenuineIntel", 6, 0x5E, "Skylake")]
    [InlineData("AuthenticAMD", 0x19, 0x21, "Zen 3")]
    [InlineData("AuthenticAMD", 0x19, 0x61, "Zen 4")]
    [InlineData("AuthenticAMD", 0x1A, 0x02, "Zen 5")]
    [InlineData("AuthenticAMD", 0x17, 0x71, "Zen 2")]
    [InlineData("GenuineIntel", 6, 0xFE, null)]
    [InlineData("CentaurHauls", 7, 1, null)]
    public void Microarchitecture_OfX86_FollowsFamilyAndModel(string vendor, int family, int model, string? expected) =>
        Assert.Equal(expected, X86(vendor, family, model, V2).Microarchitecture);

    [Fact]
    public void Flags_TellExtensionAndHypervisor()
    {
        var facts = X86("GenuineIntel", 6, 0x8F, V2 + " vmx hypervisor");
        Assert.Equal("vmx", facts.VirtualizationExtension);
        Assert.True(facts.UnderHypervisor);
        Assert.Equal(2, facts.LogicalCpus);
        Assert.Null(X86("AuthenticAMD", 25, 1, V2).VirtualizationExtension);
    }

    [Fact]
    public void ArmCpu_IsNamedByImplementerAndPart()
    {
        var facts = CpuFacts.Parse(
            "aarch64", "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n");
        Assert.Equal(("ARM", "Neoverse N1", (int?)null), (facts.Vendor, facts.Microarchitecture, facts.Level));
    }

    [Fact]
    public void EmptyCpuinfo_GivesFactsAllTheSame() => Assert.Equal("unknown", CpuFacts.Parse("x86_64", "").Model);

    [Theory]
    [InlineData("KVMKVMKVM", "KVM")]
    [InlineData("MicrosoftHv", "Hyper-V")]
    [InlineData("Unheard", "Unheard")]
    public void Hypervisor_WithSignature_IsNamedByIt(string signature, string name)
    {
        var facts = HypervisorFacts.Decide(X86("GenuineIntel", 6, 1, "hypervisor"), signature, "QEMU", "x", null, null);
        Assert.Equal((true, name), (facts.Present, facts.Name));
    }

    [Fact]
    public void Hypervisor_WithoutSignature_IsNamedByFirmwareOrNotAtAll()
    {
        var bare = X86("GenuineIntel", 6, 1, V2);
        Assert.False(HypervisorFacts.Decide(bare, null, "Dell Inc.", "PowerEdge", null, null).Present);
        Assert.Equal("Amazon EC2", HypervisorFacts.Decide(bare, null, "Amazon EC2", "m7g", null, null).Name);
        Assert.Equal("Xen", HypervisorFacts.Decide(bare, null, null, null, "xen", null).Name);
        Assert.Equal("KVM", HypervisorFacts.Decide(bare, null, null, null, null, "linux,kvm").Name);
        var silent = HypervisorFacts.Decide(X86("GenuineIntel", 6, 1, "hypervisor"), null, null, null, null, null);
        Assert.Equal((true, null), (silent.Present, silent.Name));
    }

    [Fact]
    public void HypervisorType_SaysWhichAndWhetherNested()
    {
        var guest = new HypervisorFacts { Present = true, Name = "KVM", Evidence = "" };
        var bare = new HypervisorFacts { Present = false, Evidence = "" };
        Assert.StartsWith("KVM, type 1", HostReport.TypeOf(new KvmVerdict(true, ""), bare), StringComparison.Ordinal);
        var translated = HostReport.TypeOf(new KvmVerdict(false, ""), guest);
        Assert.StartsWith("QEMU's TCG, type 2", translated, StringComparison.Ordinal);
        Assert.EndsWith("a guest of KVM", translated, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_OfThisHost_IsWhole()
    {
        var folder = Directory.CreateTempSubdirectory("gantry-engines-");
        try
        {
            var host = new QemuHost(folder.FullName);
            var report = await HostReport.GatherAsync(
                host, new KvmProbe(host, TimeProvider.System), [folder.FullName, "/no/such/folder"],
                TestContext.Current.CancellationToken);
            Assert.True(report.MemoryBytes > report.MemoryAvailableBytes);
            Assert.Equal(Environment.ProcessorCount, Math.Min(report.Cpu.LogicalCpus, Environment.ProcessorCount));
            Assert.Equal(Enum.GetValues<Gantry.Model.Machines.Isa>(), report.Isas.Select(i => i.Isa));
            Assert.All(report.Isas, i => Assert.True(i.QemuVersion is null == i.Install.Length > 0));
            Assert.All(report.Space, s => Assert.InRange(s.FreeBytes, 1, s.TotalBytes));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static CpuFacts X86(string vendor, int family, int model, string flags)
    {
        var cpu = $"vendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\nmodel name\t: Some CPU\nflags\t\t: {flags}\n";
        return CpuFacts.Parse("x86_64", $"processor\t: 0\n{cpu}\nprocessor\t: 1\n{cpu}");
    }
}
