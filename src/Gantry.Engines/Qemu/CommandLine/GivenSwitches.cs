using System.Text.RegularExpressions;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu.CommandLine;

/// <summary>
/// The switches that a user gave, as Packer's <c>qemuargs</c> do: each replaces all of ours that stand for the same
/// one. Packer's names for devices (<c>user.0</c>, <c>drive0</c>, <c>cdrom0</c>) are understood.
/// </summary>
internal sealed partial class GivenSwitches
{
    private readonly List<QemuSwitch> _all = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <exception cref="ProblemException">A switch that would take the machine out of our hands.</exception>
    public GivenSwitches(IReadOnlyList<QemuSwitch> switches)
    {
        foreach (var given in switches)
        {
            var name = Canonical(given.Name);
            if (name is "-uuid" or "-daemonize" or "-incoming")
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput,
                    $"the switch {given.Name} can't be given to QEMU: Gantry finds and moves its machines by it",
                    "remove it from qemuargs");
            }
            _names.Add(name);
            _all.Add(new QemuSwitch { Name = name, Value = given.Value is { } v ? Translate(name, v) : null });
        }
    }

    public IReadOnlyList<QemuSwitch> All => _all;

    public bool Has(string name) => _names.Contains(name);

    /// <summary>Whether a value of the switch contains the text.</summary>
    public bool Mentions(string name, string text) =>
        _all.Any(s => s.Name == name && s.Value?.Contains(text, StringComparison.Ordinal) == true);

    /// <summary>Whether a value of the switch has <c>key=value</c> among its comma-separated parts.</summary>
    public bool HasPart(string name, string part) =>
        _all.Any(s => s.Name == name && s.Value?.Split(',').Contains(part) == true);

    /// <summary>The machine type named by <c>-machine</c>; null when the user named none.</summary>
    public string? MachineType
    {
        get
        {
            var parts = _all.LastOrDefault(s => s.Name == "-machine")?.Value?.Split(',') ?? [];
            return parts.FirstOrDefault(p => p.StartsWith("type=", StringComparison.Ordinal))?["type=".Length..]
                ?? parts.FirstOrDefault(p => p.Length > 0 && !p.Contains('=', StringComparison.Ordinal));
        }
    }

    /// <summary>Adds to the last value given for a switch.</summary>
    public void Append(string name, string more)
    {
        var index = _all.FindLastIndex(s => s.Name == name);
        if (index >= 0)
            _all[index] = _all[index] with { Value = _all[index].Value + more };
    }

    private static string Canonical(string name)
    {
        var single = name.StartsWith("--", StringComparison.Ordinal) ? name[1..] : name;
        if (single.Length < 2 || single[0] != '-')
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"'{name}' is no switch of QEMU", "write it with its hyphen, such as -cpu");
        }
        return single == "-M" ? "-machine" : single;
    }

    private static string Translate(string name, string value) => name == "-device"
        ? PackerDrive().Replace(value, m => m.Groups[1].Value == "drive"
            ? $"drive=disk{m.Groups[2].Value}" : $"drive=cd{m.Groups[2].Value}-media")
        : value;

    [GeneratedRegex(@"(?<=^|,)drive=(drive|cdrom)([0-9]+)(?=,|$)")]
    private static partial Regex PackerDrive();
}
