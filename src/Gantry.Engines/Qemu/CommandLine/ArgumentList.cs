namespace Gantry.Engines.Qemu.CommandLine;

/// <summary>One switch of QEMU with its value.</summary>
/// <param name="ReplacedBy">
/// The switch which, given by the user, takes this argument's place; null for what the machine can't do without.
/// It is the switch that Packer would have used, which is not always ours: a template that gives <c>-drive</c> means
/// all disks, though we name them with <c>-blockdev</c> and <c>-device</c>.
/// </param>
internal sealed record QemuArgument(string Switch, string? Value, string? ReplacedBy);

/// <summary>The arguments in the order of the command line.</summary>
internal sealed class ArgumentList(GivenSwitches given)
{
    private readonly List<QemuArgument> _arguments = [];

    public GivenSwitches Given => given;

    public void Add(string name, string? value = null, string? replacedBy = null)
    {
        if (replacedBy is null || !given.Has(replacedBy))
            _arguments.Add(new QemuArgument(name, value, replacedBy));
    }

    public void Device(string value, string? replacedBy = null) => Add("-device", value, replacedBy);

    public IReadOnlyList<string> ToStrings()
    {
        var strings = new List<string>();
        foreach (var argument in _arguments)
        {
            strings.Add(argument.Switch);
            if (argument.Value is { } value)
                strings.Add(value);
        }
        foreach (var argument in given.All)
        {
            strings.Add(argument.Name);
            if (argument.Value is { } value)
                strings.Add(value);
        }
        return strings;
    }

    /// <summary>A value inside a comma-separated list: QEMU reads a doubled comma as a comma.</summary>
    public static string Escape(string value) => value.Replace(",", ",,", StringComparison.Ordinal);
}
