using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Gantry.Engines.Keyboard;

/// <summary>
/// What the keys of a layout give: four rows for each level, aligned with <see cref="Keys"/>. A space stands for
/// "nothing, or something that cannot be typed".
/// </summary>
/// <param name="DeadKeys">The characters that are dead keys here.</param>
internal sealed record LayoutTable(string[] Plain, string[] Shift, string[] AltGr, string DeadKeys)
{
    /// <summary>The keys by place, row by row, as an ISO keyboard has them (<c>less</c> is the 102nd key).</summary>
    private static readonly string[][] Keys =
    [
        ["grave_accent", "1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "minus", "equal"],
        ["q", "w", "e", "r", "t", "y", "u", "i", "o", "p", "bracket_left", "bracket_right"],
        ["a", "s", "d", "f", "g", "h", "j", "k", "l", "semicolon", "apostrophe", "backslash"],
        ["less", "z", "x", "c", "v", "b", "n", "m", "comma", "dot", "slash"],
    ];

    public IEnumerable<(char Character, KeyStroke Stroke)> Strokes() =>
        Level(Plain, KeyModifiers.None).Concat(Level(Shift, KeyModifiers.Shift)).Concat(Level(AltGr, KeyModifiers.AltGr));

    private static IEnumerable<(char Character, KeyStroke Stroke)> Level(string[] rows, KeyModifiers modifiers)
    {
        for (var row = 0; row < rows.Length; row++)
        {
            if (rows[row].Length > Keys[row].Length)
                throw new InvalidOperationException($"row {row} has more characters than keys: {rows[row]}");
            for (var i = 0; i < rows[row].Length; i++)
            {
                if (rows[row][i] != ' ')
                    yield return (rows[row][i], new KeyStroke(Keys[row][i], modifiers));
            }
        }
    }
}

/// <summary>The layouts, as the kernel's and XKB's defaults for these countries have them.</summary>
internal static class LayoutTables
{
    private static readonly string[] LettersBelow = ["qwertyuiop[]", "asdfghjkl;'\\", " zxcvbnm,./"];

    private static readonly LayoutTable UsTable = new(
        ["`1234567890-=", .. LettersBelow],
        ["~!@#$%^&*()_+", "QWERTYUIOP{}", "ASDFGHJKL:\"|", " ZXCVBNM<>?"],
        [], "");

    private static readonly LayoutTable UkTable = new(
        ["`1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "\\zxcvbnm,./"],
        ["¬!\"£$%^&*()_+", "QWERTYUIOP{}", "ASDFGHJKL:@~", "|ZXCVBNM<>?"],
        ["    €        "], "");

    private static readonly LayoutTable DeTable = new(
        ["^1234567890ß´", "qwertzuiopü+", "asdfghjklöä#", "<yxcvbnm,.-"],
        ["°!\"§$%&/()=?`", "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", ">YXCVBNM;:_"],
        ["  ²³   {[]}\\ ", "@ €        ~", "", "|      µ"],
        "^´`");

    private static readonly LayoutTable FrTable = new(
        ["²&é\"'(-è_çà)=", "azertyuiop $", "qsdfghjklmù*", "<wxcvbn,;:!"],
        [" 1234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%µ", ">WXCVBN?./§"],
        ["  ~#{[|`\\^@]}", "  €        ¤"],
        "¨");

    public static KeyboardLayout Us { get; } = new("us", "US QWERTY", UsTable);

    public static ImmutableArray<KeyboardLayout> All { get; } =
    [
        Us,
        new("uk", "British QWERTY", UkTable),
        new("de", "German QWERTZ with dead keys", DeTable),
        new("de-nodeadkeys", "German QWERTZ without dead keys", DeTable with { DeadKeys = "" }),
        new("fr", "French AZERTY", FrTable),
    ];

    public static FrozenDictionary<string, KeyboardLayout> ByName { get; } = All
        .SelectMany(l => Aliases(l.Name).Select(name => (Name: name, Layout: l)))
        .ToFrozenDictionary(p => p.Name, p => p.Layout, StringComparer.Ordinal);

    private static string[] Aliases(string name) => name switch
    {
        "us" => ["us", "en-us", "en"],
        "uk" => ["uk", "gb", "en-gb"],
        "de" => ["de", "de-latin1"],
        "de-nodeadkeys" => ["de-nodeadkeys", "de-latin1-nodeadkeys"],
        "fr" => ["fr", "fr-latin1", "fr-latin9"],
        _ => [name],
    };
}
