using Gantry.App.Hosting;
using Gantry.App.Progress;
using Gantry.App.Tests.Fakes;

namespace Gantry.App.Tests.Progress;

public sealed class PlainProgressViewTests
{
    private readonly ManualTime _time = new();
    private readonly FakeTerminal _terminal = new();

    [Fact]
    public void Log_HasALineForEachActivity_AndOneEveryTenSeconds()
    {
        using (var view = Contexts.With(_terminal, time: _time).StartProgress())
        {
            view.Activity("Downloading");
            for (var second = 0; second < 25; second++)
            {
                view.Amount(second * 4, 100, "files");
                _time.Advance(TimeSpan.FromSeconds(1));
            }

            view.Activity("Installing");
            view.GuestLine("\e[1mlogin:\e[0m");
            _time.Advance(TimeSpan.FromSeconds(15));
            view.Note("a note");
            view.Complete();
        }

        Assert.Equal(
            """
            Downloading
              10 s: 36%, 36 of 100 files, 18 s left
              20 s: 76%, 76 of 100 files, 6.0 s left
            Downloading: done in 25 s
            Installing
              5.0 s: guest: login:
              15 s: still at it
            a note
            Installing: done in 15 s

            """,
            Normal(_terminal.ErrorText.ToString()));
        Assert.Equal("", _terminal.OutText.ToString());
    }

    [Theory]
    [InlineData(true, "xterm", null, typeof(LiveProgressView))]
    [InlineData(true, "xterm", "1", typeof(LiveProgressView))]
    [InlineData(true, "dumb", null, typeof(PlainProgressView))]
    [InlineData(true, "", null, typeof(PlainProgressView))]
    [InlineData(false, "xterm", null, typeof(PlainProgressView))]
    public void View_IsLive_OnlyOnATerminalThatCanRedraw(bool terminal, string term, string? noColor, Type expected)
    {
        var environment = new Dictionary<string, string> { ["TERM"] = term };
        if (noColor is not null)
            environment["NO_COLOR"] = noColor;
        var context = Contexts.With(new FakeTerminal { ErrorIsTerminal = terminal, OutIsTerminal = true }, environment, _time);
        using var view = context.StartProgress();
        Assert.IsType(expected, view);
        Assert.Equal(terminal && term == "xterm" && noColor is null, context.ErrorStyle.Color);
    }

    [Theory]
    [InlineData("C", "en_GB.UTF-8", false)]
    [InlineData("", "en_GB.utf8", true)]
    [InlineData("C.UTF-8", "C", true)]
    [InlineData("", "", false)]
    public void Unicode_FollowsTheLocale(string all, string lang, bool expected)
    {
        var environment = new Dictionary<string, string> { ["TERM"] = "xterm", ["LC_ALL"] = all, ["LANG"] = lang };
        Assert.Equal(expected, TextStyle.For(isTerminal: true, environment.GetValueOrDefault).Unicode);
    }

    /// <summary>The rest of the time is a property of the meter, which has tests of its own.</summary>
    private static string Normal(string text) => System.Text.RegularExpressions.Regex.Replace(
        text, @", ([\d.]+) s left", match => match.Groups[1].Value is [.., '.', _] ? ", 6.0 s left" : ", 18 s left");
}
