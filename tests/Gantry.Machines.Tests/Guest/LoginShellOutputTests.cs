using System.Text;
using CsCheck;
using Gantry.Machines.Guest;

namespace Gantry.Machines.Tests.Guest;

public sealed class LoginShellOutputTests
{
    private const string Id = "0123456789abcdef";
    private const string Said =
        "Welcome\r\nto the guest\r\n exec sh /tmp/.gantry-0123456789abcdef\r\n$  exec sh /tmp/.gantry-0123456789abcdef\r\n"
        + "\e]gantry;0123456789abcdef;begin\a$ ls\r\n\e]0;title\afile\r\n\e]gantry;other\a$ exit\r\n\e]gantry;0123456789abcdef;end;42\aafter";

    private const string Shown = "Welcome\r\nto the guest\r\n$ ls\r\n\e]0;title\afile\r\n\e]gantry;other\a$ exit\r\n";

    [Fact]
    public void Marks_AreTakenOut_HoweverTheOutputIsCut() => Gen.Int[1, 40].Array[1, 60].Sample(sizes =>
    {
        using var shown = new MemoryStream();
        using var output = new LoginShellOutput(Id, shown);
        var bytes = Encoding.UTF8.GetBytes(Said);
        for (int at = 0, i = 0; at < bytes.Length; i++)
        {
            var size = Math.Min(sizes[i % sizes.Length], bytes.Length - at);
            output.Write(bytes.AsSpan(at, size));
            at += size;
        }

        output.Finish();
        return Encoding.UTF8.GetString(shown.ToArray()) == Shown && output.ExitCode == 42;
    });

    [Fact]
    public void WithoutMarks_EverythingIsShown_AndThereIsNoExitCode()
    {
        using var shown = new MemoryStream();
        using var output = new LoginShellOutput(Id, shown);
        output.Write("% "u8);
        Assert.Equal(0, shown.Length);
        output.GiveUp();
        output.Write("hello\r\n\e]gan"u8);
        output.Finish();
        Assert.Equal("% hello\r\n\e]gan", Encoding.UTF8.GetString(shown.ToArray()));
        Assert.Null(output.ExitCode);
    }

    [Fact]
    public void WhatBeginsLikeAMark_IsHeldBackOnlyUntilItIsNone()
    {
        using var shown = new MemoryStream();
        using var output = new LoginShellOutput(Id, shown);
        output.GiveUp();
        output.Write("a\e]gantry;"u8);
        Assert.Equal(1, shown.Length);
        output.Write("x"u8);
        Assert.Equal("a\e]gantry;x", Encoding.UTF8.GetString(shown.ToArray()));
    }
}
