using System.Globalization;
using Gantry.Model;

namespace Gantry.Engines.Host;

/// <summary>What the host's CPU is, from /proc/cpuinfo.</summary>
public sealed record CpuFacts
{
    /// <summary>x86_64, aarch64 or another.</summary>
    public required string Architecture { get; init; }

    /// <summary>As the CPU says: AuthenticAMD, GenuineIntel; on ARM the implementer's name.</summary>
    public required string Vendor { get; init; }

    /// <summary>The name it sells under; may be made up by a hypervisor.</summary>
    public required string Model { get; init; }

    /// <summary>Best effort from family and model numbers; null when not in our table.</summary>
    public string? Microarchitecture { get; init; }

    /// <summary>1 to 4 for x86-64-v1 to v4; null on other architectures.</summary>
    public int? Level { get; init; }

    /// <summary>vmx, svm, or null when the CPU shows neither (x86); ARM's is not shown in cpuinfo.</summary>
    public string? VirtualizationExtension { get; init; }

    /// <summary>The CPU says that it is virtual (x86).</summary>
    public required bool UnderHypervisor { get; init; }

    public required int LogicalCpus { get; init; }

    // The psABI's levels (x86-64-ABI, "Micro-Architecture Levels") in /proc/cpuinfo's spelling.
    private static readonly string[] Second = ["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"];
    private static readonly string[] Third = ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"];
    private static readonly string[] Fourth = ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"];

    /// <param name="architecture">The running system's.</param>
    /// <param name="cpuinfo">/proc/cpuinfo.</param>
    public static CpuFacts Parse(string architecture, string cpuinfo)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        var count = 0;
        foreach (var line in cpuinfo.Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
                continue;
            var name = line[..colon].Trim();
            if (name == "processor")
                count++;
            fields.TryAdd(name, line[(colon + 1)..].Trim());
        }
        var flags = fields.GetValueOrDefault("flags", "").Split(' ').ToHashSet(StringComparer.Ordinal);
        var isX86 = architecture == "x86_64";
        var vendor = fields.GetValueOrDefault("vendor_id")
            ?? ArmImplementer(fields.GetValueOrDefault("CPU implementer", ""));
        return new CpuFacts
        {
            Architecture = architecture,
            Vendor = vendor,
            Model = fields.GetValueOrDefault("model name")
                ?? (fields.TryGetValue("CPU part", out var part) ? $"part {part}" : "unknown"),
            Microarchitecture = isX86
                ? Microarchitectures.OfX86(vendor, Number(fields, "cpu family"), Number(fields, "model"))
                : Microarchitectures.OfArm(
                    fields.GetValueOrDefault("CPU implementer", ""), fields.GetValueOrDefault("CPU part", "")),
            Level = isX86 ? LevelOf(flags) : null,
            VirtualizationExtension = flags.Contains("vmx") ? "vmx" : flags.Contains("svm") ? "svm" : null,
            UnderHypervisor = flags.Contains("hypervisor"),
            LogicalCpus = Math.Max(count, 1),
        };
    }

    private static int LevelOf(HashSet<string> flags) =>
        !Second.All(flags.Contains) ? 1 : !Third.All(flags.Contains) ? 2 : !Fourth.All(flags.Contains) ? 3 : 4;

    private static int Number(Dictionary<string, string> fields, string name) =>
        int.TryParse(fields.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1;

    private static string ArmImplementer(string code) => code switch
    {
        "0x41" => "ARM",
        "0x46" => "Fujitsu",
        "0x48" => "HiSilicon",
        "0x50" => "Applied Micro",
        "0x51" => "Qualcomm",
        "0x61" => "Apple",
        "0xc0" => "Ampere",
        "" => "unknown",
        _ => $"implementer {code}",
    };
}

/// <summary>Family and model numbers to names. What is missing is shown by number only.</summary>
internal static class Microarchitectures
{
    public static string? OfX86(string vendor, int family, int model) => vendor switch
    {
        "GenuineIntel" when family == 6 => Intel(model),
        "GenuineIntel" when family == 19 => "Diamond Rapids",
        "AuthenticAMD" or "HygonGenuine" => Amd(family, model),
        _ => null,
    };

    public static string? OfArm(string implementer, string part) => (implementer, part) switch
    {
        ("0x41", "0xd03") => "Cortex-A53",
        ("0x41", "0xd05") => "Cortex-A55",
        ("0x41", "0xd07") => "Cortex-A57",
        ("0x41", "0xd08") => "Cortex-A72",
        ("0x41", "0xd09") => "Cortex-A73",
        ("0x41", "0xd0a") => "Cortex-A75",
        ("0x41", "0xd0b") => "Cortex-A76",
        ("0x41", "0xd0c") => "Neoverse N1",
        ("0x41", "0xd40") => "Neoverse V1",
        ("0x41", "0xd41") => "Cortex-A78",
        ("0x41", "0xd49") => "Neoverse N2",
        ("0x41", "0xd4f") => "Neoverse V2",
        ("0xc0", "0xac3") => "Ampere-1",
        ("0x61", _) => "Apple silicon",
        _ => null,
    };

    private static string? Intel(int model) => model switch
    {
        0x1A or 0x1E or 0x1F or 0x2E => "Nehalem",
        0x25 or 0x2C or 0x2F => "Westmere",
        0x2A or 0x2D => "Sandy Bridge",
        0x3A or 0x3E => "Ivy Bridge",
        0x3C or 0x3F or 0x45 or 0x46 => "Haswell",
        0x3D or 0x47 or 0x4F or 0x56 => "Broadwell",
        0x4E or 0x5E => "Skylake",
        0x55 => "Skylake-SP, Cascade Lake or Cooper Lake",
        0x8E or 0x9E => "Kaby Lake or Coffee Lake",
        0xA5 or 0xA6 => "Comet Lake",
        0x7D or 0x7E => "Ice Lake",
        0x6A or 0x6C => "Ice Lake-SP",
        0x8C or 0x8D => "Tiger Lake",
        0xA7 => "Rocket Lake",
        0x97 or 0x9A => "Alder Lake",
        0xB7 or 0xBA or 0xBF => "Raptor Lake",
        0x8F => "Sapphire Rapids",
        0xCF => "Emerald Rapids",
        0xAD or 0xAE => "Granite Rapids",
        0xAF => "Sierra Forest",
        0xAA or 0xAC => "Meteor Lake",
        0xBD => "Lunar Lake",
        0xC5 or 0xC6 => "Arrow Lake",
        _ => null,
    };

    private static string? Amd(int family, int model) => (family, model) switch
    {
        (0x10, _) => "K10",
        (0x15, _) => "Bulldozer family",
        (0x16, _) => "Jaguar family",
        (0x17, < 0x30) => "Zen",
        (0x17, _) => "Zen 2",
        (0x18, _) => "Hygon Dhyana (Zen)",
        (0x19, <= 0x0F) or (0x19, >= 0x20 and <= 0x5F) => "Zen 3",
        (0x19, _) => "Zen 4",
        (0x1A, _) => "Zen 5",
        _ => null,
    };
}
