namespace Gantry.Machines.Guest;

public enum OutputKind
{
    Standard,
    Error,
}

/// <summary>One line that a command wrote, without its line end; a line over the limit comes in pieces.</summary>
public readonly record struct OutputLine(OutputKind Kind, string Text);
