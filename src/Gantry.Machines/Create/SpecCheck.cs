using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Gantry.Engines.Keyboard;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Create;

/// <summary>
/// Whether a spec describes a machine that can be; the one place for every way in which a user gives one.
/// </summary>
public static partial class SpecCheck
{
    /// <summary>Bytes of UTF-8; the machine's record, which holds it, may have 64 KiB with all its snapshots.</summary>
    public const int LargestUserData = 16 * 1024;

    private const int LongestNotes = 4 * 1024;
    private const int MostPorts = 64;
    private const int LongestTag = 31;

    private static readonly string[] CacheModes = ["writeback", "none", "unsafe", "directsync", "writethrough"];

    /// <exception cref="ProblemException">It can't be; every reason is named, one a line in the detail where there are several.</exception>
    public static void Check(MachineSpec spec)
    {
        Names.Check(spec.Name, "machine");
        Throw(spec.Name, Problems(spec).ToList());
    }

    /// <summary>Whether a machine that is there can become another one by a change of its settings.</summary>
    /// <exception cref="ProblemException">It can't.</exception>
    public static void CheckChange(MachineSpec before, MachineSpec after)
    {
        Check(after);
        var problems = new List<string>();
        if (after.Isa != before.Isa)
            problems.Add($"its ISA stays {before.Isa.Name()}: make another machine for {after.Isa.Name()}");
        if (after.Firmware.Kind != before.Firmware.Kind)
            problems.Add("the kind of its firmware stays as it is: its disks and UEFI variables fit that one only");
        if (!after.Disks.Select(disk => disk.Volume).SequenceEqual(before.Disks.Select(disk => disk.Volume)))
            problems.Add("its disks stay the volumes that they are, in their order");
        Throw(before.Name, problems);
    }

    private static IEnumerable<string> Problems(MachineSpec spec)
    {
        if (spec.Cpu.Count is < 1 or > 1024)
            yield return $"it can't have {spec.Cpu.Count} CPUs: give 1 to 1024";
        if (spec.MemoryMiB is < 16 or > 16 * 1024 * 1024)
            yield return $"it can't have {spec.MemoryMiB} MiB of memory: give 16 MiB to 16 TiB";
        if (KeyboardLayout.Find(spec.KeyboardLayout) is null)
            yield return $"there is no keyboard layout '{spec.KeyboardLayout}': use {string.Join(", ", KeyboardLayout.All)}";
        if (Encoding.UTF8.GetByteCount(spec.Notes) > LongestNotes)
            yield return $"its notes are longer than {LongestNotes} bytes";
        if (spec.Autostart?.Order is < 0 or > 9999)
            yield return $"it can't be number {spec.Autostart.Order} of those that start with the host: give 0 to 9999";
        if (spec.Autostart?.DelaySeconds is < 0 or > 3600)
            yield return $"the next machine can't wait {spec.Autostart.DelaySeconds} s for it: give 0 to 3600 s";
        foreach (var disk in spec.Disks.Where(disk => !CacheModes.Contains(disk.Cache)))
            yield return $"'{disk.Cache}' is no way to cache a disk: use {string.Join(", ", CacheModes)}";
        foreach (var problem in Network(spec).Concat(Folders(spec)).Concat(Seed(spec.CloudInit)))
            yield return problem;
    }

    private static IEnumerable<string> Network(MachineSpec spec)
    {
        foreach (var card in spec.NetworkCards.Where(card => card.Mac.Length > 0 && !Mac().IsMatch(card.Mac)))
            yield return $"'{card.Mac}' is no address of a network card: write six bytes such as 52:54:00:12:34:56, the first one even";
        var ports = spec.NetworkCards.SelectMany(card => card.Published).ToList();
        if (ports.Count > MostPorts)
            yield return $"it publishes {ports.Count} ports, and may publish {MostPorts}";
        foreach (var port in ports)
        {
            if (!IPAddress.TryParse(port.Address, out _))
                yield return $"'{port.Address}' is no IP address to publish a port on: use for example 127.0.0.1 or 0.0.0.0";
            if (port.HostPort is < 0 or > 65535 || port.GuestPort is < 1 or > 65535)
                yield return $"{port.HostPort}:{port.GuestPort} is no pair of ports: they go to 65535, and 0 on the host is any free one";
        }

        foreach (var twice in ports.Where(port => port.HostPort != 0).GroupBy(port => (port.Address, port.HostPort, port.Udp)).Where(same => same.Count() > 1))
            yield return $"the host's port {twice.Key.HostPort} is published twice";
    }

    private static IEnumerable<string> Folders(MachineSpec spec)
    {
        foreach (var folder in spec.SharedFolders)
        {
            if (!Path.IsPathFullyQualified(folder.HostPath) || !Directory.Exists(folder.HostPath))
                yield return $"there is no folder {folder.HostPath} to share: give an absolute path";
            if (Encoding.UTF8.GetByteCount(folder.Tag) is < 1 or > LongestTag || folder.Tag.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
                yield return $"'{folder.Tag}' can't be the tag of a shared folder: use 1 to {LongestTag} characters without blanks";
        }

        foreach (var twice in spec.SharedFolders.GroupBy(folder => folder.Tag).Where(same => same.Count() > 1))
            yield return $"two shared folders have the tag {twice.Key}";
    }

    private static IEnumerable<string> Seed(CloudInit? seed)
    {
        foreach (var (what, text) in new[] { ("user-data", seed?.UserData), ("network-config", seed?.NetworkConfig) })
        {
            if (text is not null && Encoding.UTF8.GetByteCount(text) > LargestUserData)
                yield return $"its {what} is larger than {LargestUserData >> 10} KiB: let it load the rest (#include)";
        }
    }

    private static void Throw(string name, List<string> problems)
    {
        if (problems.Count == 0)
            return;
        throw new ProblemException(
            ProblemKind.InvalidInput,
            problems.Count == 1
                ? $"{name}: {problems[0]}" : $"{name} can't be such a machine, for {problems.Count} reasons",
            detail: problems.Count == 1 ? "" : string.Join('\n', problems));
    }

    [GeneratedRegex(@"\A[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}\z")]
    private static partial Regex Mac();
}
