using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gantry.Engines.Linux;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu;

/// <summary>
/// What QEMU and its firmware are on this host. Nothing is looked at before it is asked for; what costs more than a
/// look at a file is kept in a folder, under the file's path, size and time of change.
/// </summary>
public sealed partial class QemuHost
{
    private static readonly TimeSpan AskDeadline = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<string, QemuBinary> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (long Size, long Changed, string Digest)> _digests =
        new(StringComparer.Ordinal);

    private readonly FirmwareCatalog _firmware;

    /// <param name="factsFolder">Where facts are kept; made when needed.</param>
    public QemuHost(string factsFolder)
        : this(factsFolder, FirmwareCatalog.OfHost())
    {
    }

    internal QemuHost(string factsFolder, FirmwareCatalog firmware)
    {
        FactsFolder = factsFolder;
        _firmware = firmware;
    }

    public string FactsFolder { get; }

    /// <summary>The absolute path of the ISA's QEMU; null when it is not installed.</summary>
    public static string? TryFindBinary(Isa isa) => Programs.Find(IsaProfiles.For(isa).Binary);

    /// <summary>The absolute path of the ISA's QEMU.</summary>
    /// <exception cref="ProblemException">It is not installed; the remedy installs it.</exception>
    public static string FindBinary(Isa isa)
    {
        var profile = IsaProfiles.For(isa);
        return TryFindBinary(isa) ?? throw new ProblemException(
            ProblemKind.Unavailable,
            $"machines of {isa.Name()} need {profile.Binary}, which is not installed",
            profile.Package.InstallLine());
    }

    /// <summary>Facts about the ISA's QEMU.</summary>
    /// <exception cref="ProblemException">It is not installed, or does not run.</exception>
    public QemuBinary Binary(Isa isa) => BinaryAt(FindBinary(isa));

    /// <summary>Facts about a QEMU that the user named.</summary>
    /// <exception cref="ProblemException">It does not exist or does not run.</exception>
    public QemuBinary BinaryAt(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
            throw new ProblemException(ProblemKind.NotFound, $"there is no program {path}");
        var target = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        bool IsSame(QemuBinary b) => b.Size == target.Length && b.Changed == target.LastWriteTimeUtc.Ticks;
        if (_known.TryGetValue(path, out var known) && IsSame(known))
            return known;
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..16];
        var cache = Path.Combine(FactsFolder, $"qemu-{key}.json");
        if (Read(cache) is not { } binary || binary.Path != path || !IsSame(binary))
        {
            binary = Ask(path, target);
            FactsFile.Write(cache, JsonSerializer.SerializeToUtf8Bytes(binary, EngineJson.Default.QemuBinary));
        }
        _known[path] = binary;
        return binary;
    }

    public IReadOnlyList<QemuMachineType> MachineTypes(Isa isa) => Binary(isa).MachineTypes;

    /// <summary>The versioned name of a machine type, so that a machine stays the same under a newer QEMU.</summary>
    /// <exception cref="ProblemException">This QEMU knows no such type.</exception>
    public string PinMachineType(Isa isa, string name)
    {
        var binary = Binary(isa);
        foreach (var type in binary.MachineTypes)
        {
            if (type.Alias == name || type.Name == name)
                return type.Name;
        }
        throw new ProblemException(
            ProblemKind.InvalidInput,
            $"QEMU {binary.Version} ({binary.Path}) knows no machine type '{name}'",
            $"{binary.Path} -machine help lists the types; {IsaProfiles.For(isa).MachineType} is the usual one");
    }

    /// <summary>The UEFI firmware for a machine; null where its firmware is not UEFI.</summary>
    /// <param name="machineType">Pinned or an alias.</param>
    /// <exception cref="ProblemException">It is not installed, or a named file is missing.</exception>
    public FirmwareFiles? Firmware(Isa isa, FirmwareSpec spec, string machineType) =>
        spec.Kind == FirmwareKind.Uefi ? _firmware.Find(isa, spec, machineType) : null;

    /// <summary>SHA-256 of a file in hexadecimal digits, kept in memory while size and time of change stay.</summary>
    /// <exception cref="ProblemException">It can't be read.</exception>
    public string Digest(string path)
    {
        try
        {
            var file = new FileInfo(path);
            var changed = file.LastWriteTimeUtc.Ticks;
            if (_digests.TryGetValue(path, out var known) && known.Size == file.Length && known.Changed == changed)
                return known.Digest;
            using var stream = file.OpenRead();
            var digest = Convert.ToHexStringLower(SHA256.HashData(stream));
            _digests[path] = (file.Length, changed, digest);
            return digest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(ProblemKind.Unavailable, $"{path} can't be read: {e.Message}", inner: e);
        }
    }

    internal static ValueList<QemuMachineType> ParseMachineTypes(string help)
    {
        var types = new List<QemuMachineType>();
        foreach (var line in help.Split('\n').Skip(1))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space <= 0)
                continue;
            var name = line[..space];
            var alias = AliasOf().Match(line);
            // An alias has a line of its own, which names its type; the type's own line comes as well.
            if (alias.Success)
            {
                var target = alias.Groups[1].Value;
                types.RemoveAll(t => t.Name == target);
                types.Add(new QemuMachineType(target, name, IsDeprecated(line)));
            }
            else if (!types.Any(t => t.Name == name))
                types.Add(new QemuMachineType(name, null, IsDeprecated(line)));
        }
        return [.. types];
    }

    private static bool IsDeprecated(string line) => line.Contains("(deprecated", StringComparison.Ordinal);

    private QemuBinary Ask(string path, FileInfo target)
    {
        var version = VersionOf().Match(Run(path, "--version"));
        if (!version.Success)
            throw new ProblemException(ProblemKind.Unavailable, $"{path} does not say its version: is it QEMU?");
        return new QemuBinary
        {
            Path = path,
            Size = target.Length,
            Changed = target.LastWriteTimeUtc.Ticks,
            Version = version.Groups[1].Value,
            Digest = Digest(target.FullName),
            MachineTypes = ParseMachineTypes(Run(path, "-machine", "help")),
        };
    }

    private static string Run(string path, params string[] arguments)
    {
        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            using var timer = new Timer(_ => Kill(process), null, AskDeadline, Timeout.InfiniteTimeSpan);
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : throw new ProblemException(
                ProblemKind.Unavailable,
                $"{path} {string.Join(' ', arguments)} ended with exit code {process.ExitCode}");
        }
        catch (Win32Exception e)
        {
            throw new ProblemException(ProblemKind.Unavailable, $"{path} can't be run: {e.Message}", inner: e);
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // Ended in this moment.
        }
    }

    private static QemuBinary? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), EngineJson.Default.QemuBinary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null; // not known yet, or written by another version: asked again
        }
    }

    [GeneratedRegex(@"QEMU emulator version ([0-9]+\.[0-9]+\.[0-9]+)")]
    private static partial Regex VersionOf();

    [GeneratedRegex(@"\(alias of ([^)]+)\)")]
    private static partial Regex AliasOf();
}
