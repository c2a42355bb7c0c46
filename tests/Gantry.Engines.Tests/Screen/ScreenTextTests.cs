using Gantry.Engines.Screen;

namespace Gantry.Engines.Tests.Screen;

public sealed class ScreenTextTests
{
    [Theory]
    [InlineData("boot:", "boot: ", true)]
    [InlineData("Boot:", "boot: ", false)]
    [InlineData("a b", "a     b", true)]
    [InlineData("a   b", "a b", true)]
    [InlineData("a b", "ab", false)]
    [InlineData("ab", "a b", false)]
    [InlineData("a\nb", "a b", true)]
    [InlineData("a b", "x a\nb y", true)]
    [InlineData("Choose a mirror", "┌──────────┐\n│ Choose a │\n│ mirror   │", true)]
    [InlineData("│ mirror", "│ mirror", true)]
    [InlineData("installer", "the instal\nler is on", true)]
    [InlineData("installer", "the instal\nler is on the way", false)]
    [InlineData(" login: ", "web login:", true)]
    [InlineData("", "anything", true)]
    [InlineData("x", "", false)]
    public void Contains_LooselyInWhiteSpace(string wanted, string screen, bool expected) =>
        Assert.Equal(expected, Of(screen).Contains(wanted));

    [Fact]
    public void ToString_BlankRowsAround_AreLeftOut() => Assert.Equal("a\n\nb", Of("\n  \na\n\nb\n\n").ToString());

    private static ScreenText Of(string text) => new([.. text.Split('\n')], ScreenSource.Glyphs, 0, 0);
}
