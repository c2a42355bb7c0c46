using CsCheck;
using Gantry.App.CommandLine;

namespace Gantry.App.Tests.CommandLine;

public sealed class SuggestionTests
{
    [Theory]
    [InlineData("lsit", "Did you mean list?")]
    [InlineData("snap", "Did you mean snapshot?")]
    [InlineData("qqqq", "")]
    [InlineData("s", "")]
    public void For_NamesOnlyWhatIsNear(string typed, string expected) =>
        Assert.Equal(expected, Suggestion.For(typed, ["list", "launch", "snapshot", "start", "stop"]));

    [Fact]
    public void Distance_IsSymmetric_AndZeroOnlyForEqualWords() =>
        Gen.Select(Gen.String[Gen.Char['a', 'd'], 0, 8], Gen.String[Gen.Char['a', 'd'], 0, 8]).Sample((a, b) =>
            Suggestion.Distance(a, b) == Suggestion.Distance(b, a) && (Suggestion.Distance(a, b) == 0) == (a == b));
}
