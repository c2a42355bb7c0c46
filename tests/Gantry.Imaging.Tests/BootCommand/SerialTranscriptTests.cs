using System.Text;
using System.Text.RegularExpressions;
using Gantry.Imaging.BootCommand;

namespace Gantry.Imaging.Tests.BootCommand;

public sealed class SerialTranscriptTests
{
    private static readonly Regex Login = new("login: $");

    [Fact]
    public async Task WaitFor_TextSaidBefore_ReturnsAtOnce()
    {
        var serial = new SerialTranscript();
        serial.Append("web login: "u8);
        await serial.WaitForAsync(Login, CancellationToken.None);
    }

    [Fact]
    public async Task WaitFor_SamePromptTwice_NeedsItTwice()
    {
        var serial = new SerialTranscript();
        serial.Append("web login: "u8);
        await serial.WaitForAsync(Login, CancellationToken.None);
        var second = serial.WaitForAsync(Login, CancellationToken.None);
        Assert.False(second.IsCompleted);
        serial.Append("root\r\nweb log"u8);
        serial.Append("in: "u8);
        await second;
    }

    [Fact]
    public void Append_EscapesAndCharactersCutAnywhere_GivesPlainText()
    {
        var bytes = Encoding.UTF8.GetBytes("\e[1;32m[  OK  ]\e[0m Grüße\r\n\e]0;title\a\e(Bx\e[?25h");
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var serial = new SerialTranscript();
            serial.Append(bytes.AsSpan(0, cut));
            serial.Append(bytes.AsSpan(cut));
            Assert.Equal("[  OK  ] Grüße\nx", serial.Text);
        }
    }

    [Fact]
    public async Task Append_MoreThanTheCapacity_KeepsTheEnd()
    {
        var serial = new SerialTranscript(capacity: 10);
        serial.Append("0123456789abcdef"u8);
        Assert.Equal("6789abcdef", serial.Text);
        await serial.WaitForAsync(new Regex("cd"), CancellationToken.None);
        serial.Append("XY"u8);
        await serial.WaitForAsync(new Regex("^efXY"), CancellationToken.None);
    }

    [Fact]
    public async Task WaitFor_Cancelled_Stops()
    {
        using var source = new CancellationTokenSource();
        var waiting = new SerialTranscript().WaitForAsync(Login, source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
