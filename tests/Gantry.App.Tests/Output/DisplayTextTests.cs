using CsCheck;
using Gantry.App.Output;

namespace Gantry.App.Tests.Output;

public sealed class DisplayTextTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("\e[31mred\e[0m text\e[K\r\n", "red text")]
    [InlineData("\e]0;title\awindow", "window")]
    [InlineData("\e]8;;http://x\e\\link\e]8;;\e\\", "link")]
    [InlineData("\e(Bset \e7saved", "set saved")]
    [InlineData("\u009b2Jgone", "gone")]
    [InlineData("10%\r20%\r", "20%")]
    [InlineData("10%\r20%\r30%", "30%")]
    [InlineData("ab\b\bcd", "cd")]
    [InlineData("tab\there\0", "tab here")]
    [InlineData("evil\u202Egpj.exe", "evilgpj.exe")]
    [InlineData("\e[", "")]
    [InlineData("\e", "")]
    public void Clean_LeavesOnlyWhatStandsStill(string line, string expected) =>
        Assert.Equal(expected, DisplayText.Clean(line));

    [Fact]
    public void Clean_OfHalfACharacter_ReplacesIt() => Assert.Equal("half ?", DisplayText.Clean("half \ud83d"));

    [Fact]
    public void Clean_OfAnything_HasNoControlCharacters() =>
        Gen.String[Gen.OneOf(Gen.Char["\e[]();?0123\a\\\r\n\bmJ\u009b"], Gen.Char), 0, 40].Sample(line =>
            !DisplayText.Clean(line).Any(char.IsControl));

    [Theory]
    [InlineData("abc", 3)]
    [InlineData("日本", 4)]
    [InlineData("é", 1)]
    [InlineData("e\u0301", 1)]
    [InlineData("😀", 2)]
    public void Width_CountsColumns(string text, int columns) => Assert.Equal(columns, DisplayText.Width(text));

    [Fact]
    public void Cut_OfAnything_FitsItsColumns() =>
        Gen.Select(Gen.String, Gen.Int[0, 20]).Sample((text, columns) =>
            DisplayText.Width(DisplayText.Cut(DisplayText.Clean(text), columns)) <= columns);

    [Fact]
    public void Cut_ThatIsShorter_EndsWithATilde() => Assert.Equal("日~", DisplayText.Cut("日本語", 4));
}
