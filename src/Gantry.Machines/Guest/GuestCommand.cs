using Gantry.Model;

namespace Gantry.Machines.Guest;

/// <summary>A command for the guest's login shell.</summary>
public sealed record GuestCommand
{
    /// <summary>What the shell reads. Words from elsewhere must be quoted (<see cref="ShellText.Quote"/>).</summary>
    public required string Text { get; init; }

    /// <summary>Exported before the command, in this order; a POSIX shell is then needed.</summary>
    public ValueList<KeyValuePair<string, string>> Environment { get; init; } = [];

    /// <summary>Read to its end into the command's standard input; null closes the input at once.</summary>
    public Stream? Input { get; init; }

    /// <summary>Run under a terminal, as a <c>requiretty</c> of sudo wants it; both outputs then come as one.</summary>
    public bool Terminal { get; init; }

    /// <summary>Longer output lines come in pieces; in UTF-16 code units.</summary>
    public int MaxLineLength { get; init; } = LineSplitter.DefaultMaxLength;

    /// <summary>What the server is asked to run.</summary>
    internal string FullText => ShellText.WithEnvironment(Text, Environment);

    /// <summary>Leaves the environment out, which may hold secrets.</summary>
    public override string ToString() => Text;
}

/// <summary>What a short command said and how it ended.</summary>
public sealed record GuestCommandResult(ExitStatus Status, string Output, string Error);
