using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;

namespace Gantry.Engines.Keyboard;

/// <summary>
/// Which keys give a character in a guest whose keyboard layout is this one. Boot loaders and firmware have the
/// US layout whatever the installed system uses.
/// </summary>
public sealed class KeyboardLayout
{
    private static readonly KeyStroke Space = new("spc");

    private static readonly FrozenDictionary<char, KeyStroke> Common = new Dictionary<char, KeyStroke>
    {
        [' '] = Space,
        ['\n'] = new("ret"),
        ['\r'] = new("ret"),
        ['\t'] = new("tab"),
        ['\b'] = new("backspace"),
        ['\e'] = new("esc"),
    }.ToFrozenDictionary();

    private readonly FrozenDictionary<char, ImmutableArray<KeyStroke>> _strokes;

    internal KeyboardLayout(string name, string description, LayoutTable table)
    {
        Name = name;
        Description = description;
        var strokes = new Dictionary<char, ImmutableArray<KeyStroke>>();
        foreach (var (character, stroke) in Common)
            strokes[character] = [stroke];
        foreach (var (character, stroke) in table.Strokes())
        {
            // The first way to type a character wins; a dead key is the last resort.
            if (!table.DeadKeys.Contains(character))
                strokes.TryAdd(character, [stroke]);
        }
        foreach (var (character, stroke) in table.Strokes())
            strokes.TryAdd(character, [stroke, Space]);
        _strokes = strokes.ToFrozenDictionary();
    }

    /// <summary>The layout's short name, for example <c>de</c>.</summary>
    public string Name { get; }

    public string Description { get; }

    /// <summary>US QWERTY, which firmware and boot loaders have.</summary>
    public static KeyboardLayout Us => LayoutTables.Us;

    /// <summary>Every layout there is.</summary>
    public static ImmutableArray<KeyboardLayout> All => LayoutTables.All;

    /// <summary>Every character that the layout can type.</summary>
    public IEnumerable<char> Characters => _strokes.Keys.Order();

    /// <summary>A layout by its name, or by the names that Linux and QEMU use for it; null where there is none.</summary>
    public static KeyboardLayout? Find(string name) =>
        LayoutTables.ByName.GetValueOrDefault(name.Trim().ToLowerInvariant());

    /// <summary>
    /// The strokes that give a character. More than one where the layout has it only as a dead key, which a
    /// space then turns into the character itself.
    /// </summary>
    public bool TryGet(Rune character, out ImmutableArray<KeyStroke> strokes)
    {
        strokes = [];
        return character.IsBmp && _strokes.TryGetValue((char)character.Value, out strokes);
    }

    /// <summary>Strokes for a whole text.</summary>
    /// <exception cref="ArgumentException">The layout lacks one of its characters.</exception>
    public ImmutableArray<KeyStroke> StrokesFor(string text)
    {
        var all = ImmutableArray.CreateBuilder<KeyStroke>(text.Length);
        foreach (var character in text.EnumerateRunes())
        {
            if (!TryGet(character, out var strokes))
                throw new ArgumentException(Lacks(character), nameof(text));
            all.AddRange(strokes);
        }
        return all.ToImmutable();
    }

    /// <summary>The message for a character that cannot be typed.</summary>
    public string Lacks(Rune character)
    {
        var others = string.Join(", ", All.Where(l => l.TryGet(character, out _)).Select(l => l.Name));
        var shown = Rune.IsControl(character) ? "" : $" '{character}'";
        return $"the keyboard layout '{Name}' has no key for U+{character.Value:X4}{shown}" +
            (others.Length > 0 ? $"; these have: {others}" : "");
    }

    public override string ToString() => Name;
}
