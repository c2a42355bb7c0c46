using CsCheck;
using Gantry.Engines.Keyboard;
using Gantry.Imaging.BootCommand;

namespace Gantry.Imaging.Tests.BootCommand;

public sealed class BootCommandScriptTests
{
    private static readonly TemplateScope Scope = new()
    {
        Fields = new Dictionary<string, string> { ["HTTPIP"] = "10.0.2.2", ["HTTPPort"] = "8123", ["Name"] = "web" },
    };

    [Fact]
    public void Parse_TypicalPreseedCommand_GivesActionsInOrder()
    {
        var script = Parse(
            "<esc><wait>", "auto url=http://{{ .HTTPIP }}:{{.HTTPPort}}/preseed.cfg ", "<enter><wait1m30s>");
        Assert.Empty(script.Diagnostics);
        Assert.Equal(
            [
                "press esc", "wait 1", "type auto url=http://10.0.2.2:8123/preseed.cfg ", "press enter", "wait 90",
            ],
            script.Actions.Select(Show));
    }

    [Theory]
    [InlineData("<wait>", 1)]
    [InlineData("<wait10>", 10)]
    [InlineData("<wait5s>", 5)]
    [InlineData("<wait1m30s>", 90)]
    [InlineData("<wait1.5s>", 1.5)]
    [InlineData("<wait250ms>", 0.25)]
    [InlineData("<wait1h1m1s>", 3661)]
    public void Parse_Wait_GivesItsTime(string text, double seconds) =>
        Assert.Equal($"wait {seconds}", Assert.Single(Parse(text).Actions.Select(Show)));

    [Theory]
    [InlineData("<wait0>")]
    [InlineData("<wait-5s>")]
    [InlineData("<wait0s>")]
    public void Parse_WaitForNothing_IsAnError(string text) =>
        Assert.Contains("more than nothing", Assert.Single(Parse(text).Diagnostics).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("<enter>", "press enter")]
    [InlineData("<ENTER>", "press ENTER")]
    [InlineData("<pageUp>", "press pageUp")]
    [InlineData("<f12>", "press f12")]
    [InlineData("<spacebar>", "press spacebar")]
    [InlineData("<leftCtrlOn>", "hold leftCtrl ctrl")]
    [InlineData("<leftctrloff>", "release leftctrl ctrl")]
    [InlineData("<rightShiftON>", "hold rightShift shift_r")]
    [InlineData("<aOn>", "hold a a")]
    [InlineData("<AOn>", "hold A shift+a")]
    [InlineData("<AOff>", "release A a+shift")]
    [InlineData("<<On>", "hold < shift+comma")]
    [InlineData("<>off>", "release > dot+shift")]
    [InlineData("a<b", "type a<b")]
    [InlineData("<", "type <")]
    [InlineData("<<enter>", "type <|press enter")]
    [InlineData("<wait5>>", "wait 5|type >")]
    [InlineData("x<wait 5>", "type x<wait 5>")]
    [InlineData("<Wait>", "type <Wait>")]
    [InlineData("<wait05>", "type <wait05>")]
    [InlineData("\n", "type \n")]
    public void Parse_PackersGrammar_IsReadAsPackerReadsIt(string text, string expected) =>
        Assert.Equal(expected.Split('|'), Parse(text).Actions.Select(Show));

    [Fact]
    public void Parse_EveryNameInPackersGrammar_IsAKey()
    {
        string[] names =
        [
            "bs", "del", "enter", "esc", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12",
            "return", "tab", "up", "down", "spacebar", "insert", "home", "end", "pageUp", "pageDown", "leftAlt",
            "leftCtrl", "leftMeta", "leftShift", "rightAlt", "rightCtrl", "rightMeta", "rightShift", "leftSuper",
            "rightSuper", "left", "right", "menu",
        ];
        foreach (var name in names)
        {
            var actions = Parse($"<{name}><{name.ToUpperInvariant()}On><{name}Off>").Actions;
            var key = Assert.IsType<BootAction.Press>(actions[0]).Key;
            Assert.True(QKeyCode.IsKnown(key), key);
            Assert.Equal([key], Assert.IsType<BootAction.Hold>(actions[1]).Keys);
            Assert.Equal([key], Assert.IsType<BootAction.Release>(actions[2]).Keys);
        }
    }

    [Theory]
    [InlineData("<entr>", "did you mean <enter>?")]
    [InlineData("<pagedwn>", "did you mean <pageDown>?")]
    [InlineData("<waitfo>", "did you mean <waitFor>?")]
    public void Parse_NearlyAKey_WarnsAndTypesIt(string text, string hint)
    {
        var script = Parse("ab", text);
        var warning = Assert.Single(script.Diagnostics);
        Assert.False(warning.IsError);
        Assert.Equal(new BootPosition(2, 1), warning.At);
        Assert.Contains(hint, warning.Message, StringComparison.Ordinal);
        Assert.Equal($"type ab{text}", Assert.Single(script.Actions.Select(Show)));
    }

    [Theory]
    [InlineData("<waitFor 'login:' 60s>", "screen 60 login:")]
    [InlineData("<waitFor \"it's\" 90>", "screen 90 it's")]
    [InlineData("<waitFor 'it\\'s a \\\\' 1m30s>", "screen 90 it's a \\")]
    [InlineData("<waitFor 'a > b'>", "screen 300 a > b")]
    [InlineData("<waitfor'x'>", "screen 300 x")]
    [InlineData("<waitForSerial '^web login:\\s*$' 2m>", "serial 120 ^web login:\\s*$")]
    [InlineData("<waitForSerial \"say \\\"\\d+\\\"\">", "serial 300 say \"\\d+\"")]
    public void Parse_OurWaits_GiveTextAndTime(string text, string expected)
    {
        var script = Parse(text);
        Assert.Empty(script.Diagnostics);
        Assert.Equal([expected], script.Actions.Select(Show));
    }

    [Theory]
    [InlineData("<waitFor login 60s>", 2, "found no quote")]
    [InlineData("<waitFor>", 2, "found no quote")]
    [InlineData("<waitFor 'login 60s>", 11, "has no closing '")]
    [InlineData("<waitFor 'login' soon>", 18, "'soon' is not a time")]
    [InlineData("<waitFor 'login' -5s>", 18, "is not a time")]
    [InlineData("<waitFor 'login' 60s", 2, "no closing '>'")]
    [InlineData("<waitFor ' ' 60s>", 2, "an empty text")]
    [InlineData("<waitFor 'a\\qb' 60s>", 13, "unknown escape '\\q'")]
    [InlineData("<waitForSerial '(' 60s>", 2, "not a regular expression")]
    public void Parse_OurWaitsWithAMistake_AreErrorsWithAPlace(string text, int column, string message)
    {
        var script = Parse("<enter>", $"a{text}<enter>");
        var error = Assert.Single(script.Diagnostics);
        Assert.True(error.IsError);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(2, error.At.Element);
        Assert.InRange(error.At.Column, column, column + 1);
        Assert.True(script.HasErrors);
    }

    [Fact]
    public void Parse_CharacterThatTheLayoutLacks_IsAnErrorWithAPlace()
    {
        var error = Assert.Single(Parse("ab", "cü").Diagnostics);
        Assert.Equal(new BootPosition(2, 2), error.At);
        Assert.Contains("U+00FC", error.Message, StringComparison.Ordinal);
        Assert.Contains("boot_command, string 2, column 2: error: the keyboard layout 'us'", error.ToString(), StringComparison.Ordinal);
        var german = new BootCommandOptions { Layout = KeyboardLayout.Find("de")! };
        Assert.Empty(BootCommandScript.Parse(["cü"], Scope, german).Diagnostics);
    }

    [Fact]
    public void Parse_UnknownTemplateField_IsAnErrorWithAPlace()
    {
        var error = Assert.Single(Parse("é<enter>", "x {{ .HTTPIp }}").Diagnostics);
        Assert.Equal(new BootPosition(2, 6), error.At);
        Assert.Contains("there is no field '.HTTPIp' here; there are .HTTPIP, .HTTPPort, .Name", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_MistakeBehindAValue_IsPlacedInTheSource()
    {
        var error = Assert.Single(Parse("{{ .Name }}{{ .HTTPIP }}ü").Diagnostics);
        Assert.Equal(new BootPosition(1, 25), error.At);
    }

    [Fact]
    public void Parse_AnyText_NeitherFailsNorLosesPlaces() =>
        Gen.String[Gen.Char["<>wait'\" {}0123aOnFor\\.eü"], 0, 40].Array[0, 4].Sample(strings =>
        {
            var script = BootCommandScript.Parse(strings, Scope);
            Assert.All(script.Actions, a => Assert.InRange(a.At.Element, 1, strings.Length));
            Assert.All(script.Diagnostics, d => Assert.InRange(d.At.Column, 1, 41));
        });

    private static BootCommandScript Parse(params string[] strings) => BootCommandScript.Parse(strings, Scope);

    private static string Show(BootAction action) => action switch
    {
        BootAction.Type a => $"type {a.Text}",
        BootAction.Press a => $"press {a.Name}",
        BootAction.Hold a => $"hold {a.Name} {string.Join('+', a.Keys)}",
        BootAction.Release a => $"release {a.Name} {string.Join('+', a.Keys)}",
        BootAction.Wait a => $"wait {a.Time.TotalSeconds}",
        BootAction.WaitForScreen a => $"screen {a.Timeout.TotalSeconds} {a.Text}",
        BootAction.WaitForSerial a => $"serial {a.Timeout.TotalSeconds} {a.Pattern}",
        _ => throw new InvalidOperationException(),
    };
}
