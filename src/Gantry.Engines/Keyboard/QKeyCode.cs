using System.Collections.Frozen;

namespace Gantry.Engines.Keyboard;

/// <summary>
/// The key names of QMP's <c>QKeyCode</c> that an ordinary keyboard has. They name keys by where they sit on a US
/// keyboard: <c>y</c> is the key that a German layout prints Z on.
/// </summary>
public static class QKeyCode
{
    private static readonly FrozenSet<string> Names = FrozenSet.ToFrozenSet(
    [
        .. "abcdefghijklmnopqrstuvwxyz0123456789".Select(c => c.ToString()),
        .. Enumerable.Range(1, 24).Select(n => $"f{n}"),
        .. Enumerable.Range(0, 10).Select(n => $"kp_{n}"),
        "esc", "tab", "spc", "ret", "backspace", "caps_lock", "menu", "compose",
        "shift", "shift_r", "ctrl", "ctrl_r", "alt", "alt_r", "meta_l", "meta_r",
        "grave_accent", "minus", "equal", "bracket_left", "bracket_right", "backslash",
        "semicolon", "apostrophe", "comma", "dot", "slash", "less",
        "up", "down", "left", "right", "home", "end", "pgup", "pgdn", "insert", "delete",
        "print", "sysrq", "pause", "scroll_lock", "num_lock",
        "kp_divide", "kp_multiply", "kp_subtract", "kp_add", "kp_enter", "kp_decimal", "kp_comma", "kp_equals",
        "ro", "yen", "henkan", "muhenkan", "katakanahiragana", "hiragana",
        "power", "sleep", "wake", "volumeup", "volumedown", "audiomute",
    ]);

    /// <summary>Each modifier with the keys that give it; the first is the one to press.</summary>
    internal static readonly (KeyModifiers Flag, string[] Keys)[] Modifiers =
    [
        (KeyModifiers.Control, ["ctrl", "ctrl_r"]),
        (KeyModifiers.Alt, ["alt"]),
        (KeyModifiers.AltGr, ["alt_r"]),
        (KeyModifiers.Shift, ["shift", "shift_r"]),
    ];

    /// <summary>Every name, sorted.</summary>
    public static IEnumerable<string> All => Names.Order(StringComparer.Ordinal);

    /// <summary>Whether QEMU and this program know a key by this name.</summary>
    public static bool IsKnown(string name) => Names.Contains(name);
}
