using System.Text;
using Gantry.App.Commands;
using Gantry.Model;

namespace Gantry.App.Tests.Commands;

public sealed class SerialGoalTests : IDisposable
{
    private readonly string _log = Path.GetTempFileName();

    public void Dispose() => File.Delete(_log);

    [Fact]
    public void Look_AsTheMachineSpeaks_FindsTheLineOnceItIsThere()
    {
        var goal = new SerialGoal(_log, SerialGoal.Parse("^up: .* end$"));
        Assert.False(goal.Look());
        Say("booting\r\nup: ");
        Assert.False(goal.Look());
        Say("on two processors end\r\nlogin: ");
        Assert.True(goal.Look());
        Assert.Equal("up: on two processors end", goal.Line);
        Say("up: again end\n");
        Assert.True(goal.Look());
        Assert.Equal("up: on two processors end", goal.Line);
    }

    [Fact]
    public void Look_AtAPrompt_FindsItWithoutALinesEnd()
    {
        var goal = new SerialGoal(_log, SerialGoal.Parse("login:"));
        Say("one\nmini login: ");
        Assert.True(goal.Look());
        Assert.Equal("mini login:", goal.Line);
    }

    [Fact]
    public void Look_AtALogThatWasCut_ReadsItFromItsBeginning()
    {
        var goal = new SerialGoal(_log, SerialGoal.Parse("new"));
        Say("a long line of the old log\n");
        Assert.False(goal.Look());
        File.WriteAllText(_log, "a new one\n");
        Assert.True(goal.Look());
    }

    [Fact]
    public void Look_AtALineWithoutEnd_StaysBounded()
    {
        var goal = new SerialGoal(_log, SerialGoal.Parse("end"));
        Say(new string('x', 100_000));
        Assert.False(goal.Look());
        Say("\nend\n");
        Assert.True(goal.Look());
    }

    [Fact]
    public void Look_WithoutALog_FindsNothing() =>
        Assert.False(new SerialGoal(_log + ".none", SerialGoal.Parse("x")).Look());

    [Theory]
    [InlineData("serial:")]
    [InlineData("serial:(")]
    public void Goal_WithoutAPattern_IsRefused(string text) =>
        Assert.Equal(ProblemKind.InvalidInput, Assert.Throws<ProblemException>(() => WaitGoal.Parse(text)).Problem.Kind);

    private void Say(string text)
    {
        using var file = new FileStream(_log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        file.Write(Encoding.UTF8.GetBytes(text));
    }
}
