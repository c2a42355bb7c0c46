using System.IO.Enumeration;
using System.Text.Json;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Engines.Qemu;

/// <summary>
/// The UEFI firmware images of a host, found by the descriptors that distributions install for this purpose (QEMU's
/// docs/interop/firmware.json), and where there are none, at the places known.
/// </summary>
internal sealed class FirmwareCatalog(IReadOnlyList<string> descriptorFolders, string root)
{
    /// <summary>A descriptor has about 1 KiB.</summary>
    private const int MaxDescriptorBytes = 64 * 1024;

    private List<Entry>? _entries;

    private sealed record Entry(
        FirmwareFiles Files, bool Secure, bool Enrolled, IReadOnlyList<(string Architecture, string Machine)> Targets);

    /// <summary>The first folder wins where two have a descriptor of the same name.</summary>
    public static FirmwareCatalog OfHost() => new(
        ["/etc/qemu/firmware", "/usr/local/share/qemu/firmware", "/usr/share/qemu/firmware"], "/");

    /// <exception cref="ProblemException">None fits, or a named file is missing.</exception>
    public FirmwareFiles Find(Isa isa, FirmwareSpec spec, string machineType)
    {
        if (spec.CodeFile is { } code && spec.VariablesFile is { } variables)
        {
            return new FirmwareFiles
            {
                Code = Existing(code),
                VariablesTemplate = Existing(variables),
                RequiresSmm = spec.SecureBoot && isa is Isa.X86_64 or Isa.I386,
            };
        }
        var profile = IsaProfiles.For(isa);
        var found = Best(profile, spec.SecureBoot, machineType) ?? Known(isa, spec.SecureBoot);
        if (found is null)
        {
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"no UEFI firmware for {isa.Name()} ({machineType}) "
                    + $"{(spec.SecureBoot ? "with Secure Boot and enrolled keys " : "")}is installed",
                profile.FirmwarePackage?.InstallLine() ?? "use a kernel started directly instead");
        }
        return found with
        {
            Code = spec.CodeFile is { } own ? Existing(own) : found.Code,
            VariablesTemplate = spec.VariablesFile is { } vars ? Existing(vars) : found.VariablesTemplate,
        };
    }

    private FirmwareFiles? Best(IsaProfile profile, bool secure, string machineType)
    {
        // A descriptor names versioned types; an alias stands for any version.
        var pinned = machineType switch
        {
            "pc" => "pc-i440fx-0",
            "q35" => "pc-q35-0",
            "virt" => "virt-0",
            _ => machineType,
        };
        var fitting = Entries().Where(e => e.Targets.Any(
            t => t.Architecture == profile.FirmwareArchitecture
                && FileSystemName.MatchesSimpleExpression(t.Machine, pinned, ignoreCase: false)));
        return secure
            ? fitting.FirstOrDefault(e => e.Secure && e.Enrolled)?.Files
            : fitting.Where(e => !e.Enrolled).OrderBy(e => e.Secure).FirstOrDefault()?.Files;
    }

    private List<Entry> Entries()
    {
        if (_entries is { } known)
            return known;
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var folder in descriptorFolders.Where(Directory.Exists))
        {
            foreach (var file in Directory.EnumerateFiles(folder, "*.json"))
                files.TryAdd(Path.GetFileName(file), file);
        }
        var entries = new List<Entry>();
        foreach (var file in files.Values)
        {
            if (Read(file) is { } entry)
                entries.Add(entry);
        }
        return _entries = entries;
    }

    /// <summary>null for what is no firmware in two flash images, is not there, or can't be read.</summary>
    private Entry? Read(string file)
    {
        try
        {
            if (new FileInfo(file).Length is 0 or > MaxDescriptorBytes)
                return null; // empty masks a descriptor of a lower folder
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            var top = document.RootElement;
            var mapping = top.GetProperty("mapping"u8);
            if (!top.GetProperty("interface-types"u8).EnumerateArray().Any(t => t.ValueEquals("uefi"u8))
                || !mapping.GetProperty("device"u8).ValueEquals("flash"u8)
                || (mapping.TryGetProperty("mode"u8, out var mode) && !mode.ValueEquals("split"u8)))
                return null;
            var code = Image(mapping.GetProperty("executable"u8));
            var variables = Image(mapping.GetProperty("nvram-template"u8));
            if (code is null || variables is null)
                return null;
            var features = top.GetProperty("features"u8).EnumerateArray().Select(f => f.GetString()).ToHashSet();
            var targets = new List<(string, string)>();
            foreach (var target in top.GetProperty("targets"u8).EnumerateArray())
            {
                var architecture = target.GetProperty("architecture"u8).GetString()!;
                foreach (var machine in target.GetProperty("machines"u8).EnumerateArray())
                    targets.Add((architecture, machine.GetString()!));
            }
            var firmware = new FirmwareFiles
            {
                Code = code.Value.Path,
                CodeFormat = code.Value.Format,
                VariablesTemplate = variables.Value.Path,
                VariablesFormat = variables.Value.Format,
                RequiresSmm = features.Contains("requires-smm"),
            };
            return new Entry(firmware, features.Contains("secure-boot"), features.Contains("enrolled-keys"), targets);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException
            or KeyNotFoundException or InvalidOperationException)
        {
            return null; // not ours to repair; another descriptor may fit
        }
    }

    private (string Path, VolumeFormat Format)? Image(JsonElement image)
    {
        var path = Within(image.GetProperty("filename"u8).GetString()!);
        VolumeFormat? format = image.GetProperty("format"u8).GetString() switch
        {
            "raw" => VolumeFormat.Raw,
            "qcow2" => VolumeFormat.Qcow2,
            _ => null,
        };
        return format is { } known && File.Exists(path) ? (path, known) : null;
    }

    private string Within(string path) => root == "/" ? path : Path.Combine(root, path.TrimStart('/'));

    /// <summary>Distributions without descriptors for the ISA.</summary>
    private FirmwareFiles? Known(Isa isa, bool secure)
    {
        (string Code, string Variables)[] places = (isa, secure) switch
        {
            (Isa.X86_64, false) =>
            [
                ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
                ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
                ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
                ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
            ],
            (Isa.X86_64, true) =>
            [
                ("/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"),
                ("/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd"),
            ],
            (Isa.I386, false) => [("/usr/share/OVMF/OVMF32_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF32_VARS_4M.fd")],
            (Isa.Aarch64, false) =>
            [
                ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
                ("/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw", "/usr/share/edk2/aarch64/vars-template-pflash.raw"),
                ("/usr/share/edk2/aarch64/QEMU_CODE.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd"),
            ],
            (Isa.Armhf, false) =>
            [
                ("/usr/share/AAVMF/AAVMF32_CODE.fd", "/usr/share/AAVMF/AAVMF32_VARS.fd"),
                ("/usr/share/edk2/arm/QEMU_CODE.fd", "/usr/share/edk2/arm/QEMU_VARS.fd"),
            ],
            (Isa.Riscv64, false) =>
                [("/usr/share/qemu-efi-riscv64/RISCV_VIRT_CODE.fd", "/usr/share/qemu-efi-riscv64/RISCV_VIRT_VARS.fd")],
            _ => [],
        };
        foreach (var (code, variables) in places)
        {
            if (File.Exists(Within(code)) && File.Exists(Within(variables)))
            {
                return new FirmwareFiles
                {
                    Code = Within(code),
                    VariablesTemplate = Within(variables),
                    RequiresSmm = isa is Isa.X86_64 or Isa.I386 && (secure || code.Contains("secboot", StringComparison.Ordinal)),
                };
            }
        }
        return null;
    }

    private static string Existing(string path) => File.Exists(path)
        ? path
        : throw new ProblemException(
            ProblemKind.NotFound, $"the firmware file {path} does not exist", "see the template's efi_firmware_* settings");
}
