using System.Collections.Immutable;
using Gantry.Engines.Keyboard;

namespace Gantry.Imaging.BootCommand;

/// <summary>Where something stands in a boot command, both counted from 1.</summary>
/// <param name="Element">Which string of the list.</param>
/// <param name="Column">Which character of that string.</param>
public readonly record struct BootPosition(int Element, int Column)
{
    public override string ToString() => $"string {Element}, column {Column}";
}

/// <summary>One thing that a boot command does.</summary>
public abstract record BootAction
{
    private BootAction()
    {
    }

    /// <summary>Where it begins in the source.</summary>
    public required BootPosition At { get; init; }

    /// <summary>Types characters.</summary>
    /// <param name="Strokes">The keys for <paramref name="Text"/> in the guest's layout.</param>
    public sealed record Type(string Text, ImmutableArray<KeyStroke> Strokes) : BootAction;

    /// <summary>Presses and releases a special key.</summary>
    /// <param name="Name">As the source has it, without brackets.</param>
    /// <param name="Key">A name of <see cref="QKeyCode"/>.</param>
    public sealed record Press(string Name, string Key) : BootAction;

    /// <summary>Presses keys and keeps them down.</summary>
    public sealed record Hold(string Name, ImmutableArray<string> Keys) : BootAction;

    /// <summary>Releases keys.</summary>
    public sealed record Release(string Name, ImmutableArray<string> Keys) : BootAction;

    /// <summary>Waits for a time.</summary>
    public sealed record Wait(TimeSpan Time) : BootAction;

    /// <summary>Waits until the screen shows a text; white space is matched loosely.</summary>
    public sealed record WaitForScreen(string Text, TimeSpan Timeout) : BootAction;

    /// <summary>Waits until the serial line has said something that matches a regular expression.</summary>
    public sealed record WaitForSerial(string Pattern, TimeSpan Timeout) : BootAction;
}
