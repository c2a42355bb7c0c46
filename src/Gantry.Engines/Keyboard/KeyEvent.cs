namespace Gantry.Engines.Keyboard;

/// <summary>One key going down or up.</summary>
/// <param name="Key">A name of <see cref="QKeyCode"/>.</param>
public readonly record struct KeyEvent(string Key, bool Down)
{
    public override string ToString() => (Down ? "+" : "-") + Key;
}

/// <summary>The modifiers that a character needs.</summary>
[Flags]
public enum KeyModifiers
{
    None = 0,
    Shift = 1,

    /// <summary>The right Alt key, which gives the third level of European layouts.</summary>
    AltGr = 2,
    Control = 4,
    Alt = 8,
}

/// <summary>A key pressed and released while modifiers are held.</summary>
/// <param name="Key">A name of <see cref="QKeyCode"/>.</param>
public readonly record struct KeyStroke(string Key, KeyModifiers Modifiers = KeyModifiers.None)
{
    /// <summary>
    /// The events in order. Modifiers that are held already are neither pressed nor released: a guest would
    /// take the release for the user's.
    /// </summary>
    /// <param name="held">The keys that are down.</param>
    public IEnumerable<KeyEvent> Events(IReadOnlySet<string> held)
    {
        var modifiers = Modifiers;
        var needed = QKeyCode.Modifiers
            .Where(m => modifiers.HasFlag(m.Flag) && !m.Keys.Any(held.Contains))
            .Select(m => m.Keys[0])
            .ToArray();
        return
        [
            .. needed.Select(m => new KeyEvent(m, true)),
            new KeyEvent(Key, true),
            new KeyEvent(Key, false),
            .. needed.Reverse().Select(m => new KeyEvent(m, false)),
        ];
    }
}
