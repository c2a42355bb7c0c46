using System.Text;
using Gantry.App.Commands;
using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.App.Tests.Commands;

public sealed class GuestCommandTests
{
    [Theory]
    [InlineData("web:/etc/hosts", "web", "/etc/hosts")]
    [InlineData("web:", "web", ".")]
    [InlineData("./web:1", null, "./web:1")]
    [InlineData(":x", null, ":x")]
    [InlineData("/tmp/a", null, "/tmp/a")]
    public void CopyPlace_OfText_IsReadAsScpDoes(string text, string? machine, string path) =>
        Assert.Equal(new CopyPlace(machine, path), CopyPlace.Parse(text));

    [Theory]
    [InlineData("port:8080", "port 8080", "/")]
    [InlineData("http", "HTTP on port 80", "/")]
    [InlineData("http:81/health?x=1", "HTTP on port 81", "/health?x=1")]
    [InlineData("ssh", "SSH", "/")]
    public void WaitGoal_OfText_HasItsPortAndPath(string text, string shown, string path)
    {
        var goal = WaitGoal.Parse(text);
        Assert.Equal(shown, goal.ToString());
        Assert.Equal(path, goal.Path);
    }

    [Theory]
    [InlineData("port:0")]
    [InlineData("port:65536")]
    [InlineData("http:x")]
    [InlineData("up")]
    public void WaitGoal_OfNonsense_IsRefused(string text) =>
        Assert.Equal(ProblemKind.InvalidInput, Assert.Throws<ProblemException>(() => WaitGoal.Parse(text)).Problem.Kind);

    [Theory]
    [InlineData(80, 40000, true)]
    [InlineData(80, 40001, false)]
    [InlineData(81, 40000, false)]
    [InlineData(22, 40002, false)]
    public void HasEstablished_OfNetworkTable_FindsOnlyTheAnsweredConnection(int guest, int client, bool expected)
    {
        const string table = """
            Hub -1 (net0):
              Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
              TCP[ESTABLISHED]   21       10.0.2.15    80        10.0.2.2 40000     0     0
              TCP[SYN_SENT]      22       10.0.2.15    22        10.0.2.2 40002     0     0
              TCP[HOST_FORWARD]  13       127.0.0.1  8080       10.0.2.15    80     0     0
            """;
        Assert.Equal(expected, GoalProbe.HasEstablished(table.ReplaceLineEndings("\r\n"), guest, client));
    }

    [Fact]
    public void CodeOf_EndOfCommand_IsWhatAShellWouldSay()
    {
        Assert.Equal(7, GuestCommands.CodeOf(new ExitStatus.Exited(7)));
        Assert.Equal(137, GuestCommands.CodeOf(new ExitStatus.Signaled("KILL")));
        Assert.Throws<ProblemException>(() => GuestCommands.CodeOf(new ExitStatus.Disconnected("reset")));
    }

    [Fact]
    public void LogSink_ForTerminal_ShowsPromptOnceThenWholeLine()
    {
        using var output = new MemoryStream();
        var sink = new LogSink(output, clean: true);
        sink.Write("\e[31mred\e[0m\r\nlogin:"u8);
        sink.Pause();
        sink.Pause();
        sink.Write(" root\n"u8);
        sink.Finish();
        Assert.Equal("red\nlogin:\rlogin: root\n", Encoding.UTF8.GetString(output.ToArray()));
    }
}
