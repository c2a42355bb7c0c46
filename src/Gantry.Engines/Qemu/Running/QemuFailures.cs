using System.Text.RegularExpressions;
using Gantry.Model;

namespace Gantry.Engines.Qemu;

/// <summary>Says what QEMU's own words mean for the person who started it.</summary>
internal static partial class QemuFailures
{
    private const int MaxDetailLines = 12;
    private const int MaxDetailBytes = 8 * 1024;

    /// <summary>A problem from what a QEMU that did not come up left in its log.</summary>
    /// <param name="name">The machine's.</param>
    /// <param name="ending">How it ended, for the case that nothing else is known.</param>
    public static Problem FromLog(string name, string log, string ending)
    {
        var detail = Tail(log);
        var (kind, summary, remedy) = Translate(name, detail);
        return new Problem
        {
            Kind = kind,
            Summary = summary ?? $"{name} could not be started: QEMU ended with {ending}",
            Remedy = remedy,
            Detail = detail.Length > 0 ? "QEMU says: " + detail : "QEMU left no message",
        };
    }

    /// <summary>The end of a log file, at most a few lines of it; empty when there is none.</summary>
    public static string ReadTail(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Seek(-Math.Min(file.Length, MaxDetailBytes), SeekOrigin.End);
            using var reader = new StreamReader(file);
            return reader.ReadToEnd();
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>What a command's refusal means, for those who can go on without it.</summary>
    public static ProblemKind KindOf(string refusal) =>
        LockedImage().IsMatch(refusal) ? ProblemKind.InUse : ProblemKind.Failed;

    internal static string Tail(string log)
    {
        var lines = log.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => Timestamp().Replace(line, "", 1))
            .Where(line => !line.Contains("warning: ", StringComparison.Ordinal))
            .TakeLast(MaxDetailLines);
        return string.Join('\n', lines);
    }

    private static (ProblemKind Kind, string? Summary, string Remedy) Translate(string name, string log)
    {
        if (HostForward().Match(log) is { Success: true } forward)
        {
            return (
                ProblemKind.Unavailable,
                $"{name} could not be started: the host's port in '{forward.Groups[1].Value}' is in use",
                "publish another port, or end what listens there (ss -ltnp shows it)");
        }
        if (log.Contains("Address already in use", StringComparison.Ordinal))
        {
            return (
                ProblemKind.Unavailable, $"{name} could not be started: an address it should listen on is in use",
                "choose another port");
        }
        if (LockedImage().IsMatch(log))
        {
            return (
                ProblemKind.Conflict, $"{name} could not be started: one of its disks is in use by another process",
                "stop the machine or the qemu-img that uses it");
        }
        if (log.Contains("Cannot allocate memory", StringComparison.Ordinal))
        {
            return (
                ProblemKind.Unavailable, $"{name} could not be started: the host has not enough free memory for it",
                "give it less memory (gantry set NAME --memory), or stop another machine");
        }
        if (CpuModel().Match(log) is { Success: true } cpu)
        {
            return (
                ProblemKind.InvalidInput,
                $"{name} could not be started: this QEMU knows no CPU model '{cpu.Groups[1].Value}'",
                "qemu-system-ARCH -cpu help lists the models");
        }
        if (log.Contains("unsupported machine type", StringComparison.Ordinal))
        {
            return (
                ProblemKind.InvalidInput, $"{name} could not be started: this QEMU does not know its machine type",
                "qemu-system-ARCH -machine help lists the types");
        }
        if (log.Contains("No space left on device", StringComparison.Ordinal))
        {
            return (ProblemKind.Unavailable, $"{name} could not be started: a disk of the host is full", "free some space");
        }
        if (CannotOpen().Match(log) is { Success: true } file)
        {
            return (
                ProblemKind.Unavailable,
                $"{name} could not be started: QEMU can't open {file.Groups[1].Value}: {file.Groups[2].Value}",
                "see that the file is there and that you may read it");
        }
        if (log.Contains("bridge helper failed", StringComparison.Ordinal))
        {
            return (
                ProblemKind.Unavailable, $"{name} could not be started: QEMU could not put it on the host's bridge",
                "the bridge must exist and be allowed: a line 'allow BRIDGE' in /etc/qemu/bridge.conf");
        }
        if (Kvm().IsMatch(log))
        {
            return (
                ProblemKind.Unavailable, $"{name} could not be started: KVM does not work here",
                "gantry doctor says why; the tcg accelerator runs it without KVM");
        }
        return (ProblemKind.Failed, null, "");
    }

    /// <summary>With -msg timestamp=on: 2026-01-31T12:00:00.000000Z qemu-system-x86_64: </summary>
    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z ")]
    private static partial Regex Timestamp();

    [GeneratedRegex("Could not set up host forwarding rule '([^']*)'")]
    private static partial Regex HostForward();

    [GeneratedRegex("Failed to get .*lock|Is another process using the image")]
    private static partial Regex LockedImage();

    [GeneratedRegex("unable to find CPU model '([^']*)'")]
    private static partial Regex CpuModel();

    [GeneratedRegex("(?:Could not open|could not open kernel file|cannot load|could not load kernel) '([^']*)'(?:: (.*))?")]
    private static partial Regex CannotOpen();

    [GeneratedRegex("failed to initialize kvm|Could not access KVM kernel module|KVM: entry failed|kvm_init_vcpu")]
    private static partial Regex Kvm();
}
