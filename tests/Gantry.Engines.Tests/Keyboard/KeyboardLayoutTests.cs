using System.Text;
using Gantry.Engines.Keyboard;

namespace Gantry.Engines.Tests.Keyboard;

public sealed class KeyboardLayoutTests
{
    [Theory]
    [InlineData("us", 'z', "z", KeyModifiers.None)]
    [InlineData("us", '@', "2", KeyModifiers.Shift)]
    [InlineData("us", '\\', "backslash", KeyModifiers.None)]
    [InlineData("us", '|', "backslash", KeyModifiers.Shift)]
    [InlineData("us", '<', "comma", KeyModifiers.Shift)]
    [InlineData("us", '\n', "ret", KeyModifiers.None)]
    [InlineData("de", 'z', "y", KeyModifiers.None)]
    [InlineData("de", 'Y', "z", KeyModifiers.Shift)]
    [InlineData("de", '/', "7", KeyModifiers.Shift)]
    [InlineData("de", '-', "slash", KeyModifiers.None)]
    [InlineData("de", '_', "slash", KeyModifiers.Shift)]
    [InlineData("de", '\\', "minus", KeyModifiers.AltGr)]
    [InlineData("de", '@', "q", KeyModifiers.AltGr)]
    [InlineData("de", '~', "bracket_right", KeyModifiers.AltGr)]
    [InlineData("de", '|', "less", KeyModifiers.AltGr)]
    [InlineData("de", '{', "7", KeyModifiers.AltGr)]
    [InlineData("de", '\'', "backslash", KeyModifiers.Shift)]
    [InlineData("de", 'ü', "bracket_left", KeyModifiers.None)]
    [InlineData("de", '€', "e", KeyModifiers.AltGr)]
    [InlineData("de-nodeadkeys", '^', "grave_accent", KeyModifiers.None)]
    [InlineData("uk", '"', "2", KeyModifiers.Shift)]
    [InlineData("uk", '@', "apostrophe", KeyModifiers.Shift)]
    [InlineData("uk", '\\', "less", KeyModifiers.None)]
    [InlineData("uk", '#', "backslash", KeyModifiers.None)]
    [InlineData("uk", '~', "backslash", KeyModifiers.Shift)]
    [InlineData("fr", 'a', "q", KeyModifiers.None)]
    [InlineData("fr", 'm', "semicolon", KeyModifiers.None)]
    [InlineData("fr", '1', "1", KeyModifiers.Shift)]
    [InlineData("fr", '.', "comma", KeyModifiers.Shift)]
    [InlineData("fr", '/', "dot", KeyModifiers.Shift)]
    [InlineData("fr", '^', "9", KeyModifiers.AltGr)]
    [InlineData("fr", '@', "0", KeyModifiers.AltGr)]
    public void Stroke_Character_IsTheKeyOfThatLayout(string layout, char c, string key, KeyModifiers modifiers)
    {
        Assert.True(KeyboardLayout.Find(layout)!.TryGet(new Rune(c), out var strokes));
        Assert.Equal([new KeyStroke(key, modifiers)], strokes);
    }

    [Fact]
    public void Stroke_DeadKey_IsFollowedByASpace() =>
        Assert.Equal(
            [new KeyStroke("grave_accent"), new KeyStroke("spc")], KeyboardLayout.Find("de")!.StrokesFor("^"));

    [Fact]
    public void EveryLayout_HasAllOfAscii_AndKnownKeysOnly()
    {
        foreach (var layout in KeyboardLayout.All)
        {
            var strokes = layout.StrokesFor(string.Concat(Enumerable.Range(0x20, 95).Select(c => (char)c)));
            Assert.All(strokes, s => Assert.True(QKeyCode.IsKnown(s.Key), s.Key));
            Assert.All(layout.Characters, c => Assert.False(char.IsSurrogate(c)));
        }
    }

    [Fact]
    public void EveryLayout_NoStroke_GivesTwoCharacters()
    {
        foreach (var layout in KeyboardLayout.All)
        {
            var single = layout.Characters.Where(c => c is not '\r')
                .Select(c => layout.StrokesFor(c.ToString())).Where(s => s.Length == 1).Select(s => s[0]).ToList();
            Assert.Equal(single.Distinct().Count(), single.Count);
        }
    }

    [Fact]
    public void StrokesFor_CharacterThatIsLacking_NamesItAndTheLayoutsThatHaveIt()
    {
        var e = Assert.Throws<ArgumentException>(() => KeyboardLayout.Us.StrokesFor("aü"));
        Assert.Contains("'us' has no key for U+00FC 'ü'; these have: de, de-nodeadkeys", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => KeyboardLayout.Us.StrokesFor("😀"));
    }

    [Theory]
    [InlineData("en-us", "us")]
    [InlineData("GB", "uk")]
    [InlineData("fr-latin9", "fr")]
    public void Find_OtherNames_GiveTheLayout(string name, string expected) =>
        Assert.Equal(expected, KeyboardLayout.Find(name)!.Name);

    [Fact]
    public void Find_Unknown_IsNull() => Assert.Null(KeyboardLayout.Find("klingon"));
}
