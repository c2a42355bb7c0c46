using Gantry.Imaging.Builds;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.EndToEnd.Builds;

/// <summary>What a build that fails says and leaves, by each way of <c>-on-error</c>.</summary>
[Collection(nameof(BuildCollection))]
public sealed class BuildFailureTests(BuildNode builds)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FailingProvisioner_LeavesNothing_AfterItsErrorCleanup()
    {
        var before = builds.VolumeFiles().ToList();
        var lines = new Lines();
        var last = BuildNode.Shell("touch /tmp/mark; exit 7") + """

              error-cleanup-provisioner "shell" {
                inline = ["test -e /tmp/mark && echo cleaning after the error"]
              }
            """;
        var problem = await Assert.ThrowsAsync<ProblemException>(() => builds.BuildAsync("failing", last, lines));
        Assert.Contains("7", problem.Problem.ToString(), StringComparison.Ordinal);
        Assert.Contains("The build's log:", problem.Problem.Detail, StringComparison.Ordinal);
        Assert.Contains(lines.All, line => line.Text == "cleaning after the error");
        Assert.Null(await builds.Node.Templates.FindAsync("failing", Token));
        await builds.AssertNothingLeftAsync(before);
    }

    [Fact]
    public async Task FailingProvisioner_OverATemplateThatIsThere_LeavesItAsItIs()
    {
        await Assert.ThrowsAsync<ProblemException>(() => builds.BuildAsync("first", BuildNode.Shell("exit 9"), new Lines()));
        Assert.Equal(builds.First.Template, await builds.Node.Templates.FindAsync("first", Token));
    }

    [Fact]
    public async Task FailingProvisioner_WithAbort_KeepsAMachineThatOneCanOpen()
    {
        var template = builds.Write("aborted", BuildNode.Shell("echo here > /root/found; exit 8"));
        using var build = builds.Start("build", "-on-error=abort", template);
        Assert.Equal(1, await build.WaitAsync(Token));
        var machine = Assert.Single(await builds.Node.Machines.ListAsync(Token));
        Assert.Equal(MachineRole.Ordinary, machine.Role);
        Assert.True(builds.Node.Host.IsAlive(machine.Number));
        Assert.Contains($"gantry ssh --user root --password {machine.Spec.Name}", build.Said, StringComparison.Ordinal);
        Assert.Contains($"gantry console {machine.Spec.Name}", build.Said, StringComparison.Ordinal);

        using var look = builds.Start("exec", "--user", "root", "--password", machine.Spec.Name, "cat", "/root/found");
        await look.Input.WriteLineAsync("gantry-test");
        look.Input.Close();
        Assert.True(await look.WaitAsync(Token) == 0, look.Said);
        Assert.Contains("here", look.Said, StringComparison.Ordinal);
        // The next command takes it for what it is: a machine of its user's.
        using var list = builds.Start("build", "cache", "prune");
        Assert.True(await list.WaitAsync(Token) == 0, list.Said);
        Assert.True(builds.Node.Host.IsAlive(machine.Number));
        await builds.Node.Remover.DeleteAsync(machine, stop: true, Token);
        Assert.Empty(builds.Emulators());
    }

    [Fact]
    public async Task FailingProvisioner_WithAsk_IsRunAgainUntilThePersonHasEnough()
    {
        var before = builds.VolumeFiles().ToList();
        var answers = new Queue<FailureAnswer>([FailureAnswer.Retry, FailureAnswer.Retry, FailureAnswer.Cleanup]);
        var questions = new List<FailureQuestion>();
        var options = new BuildOptions
        {
            OnError = OnError.Ask,
            NoCache = false,
            Ask = (question, _) =>
            {
                questions.Add(question);
                return Task.FromResult(answers.Dequeue());
            },
        };
        var lines = new Lines();
        await Assert.ThrowsAsync<ProblemException>(() => builds.BuildAsync(
            "asking", BuildNode.Shell("echo try >> /tmp/tries; echo tries $(wc -l < /tmp/tries); exit 3"), lines, options));
        Assert.Equal(3, questions.Count);
        Assert.All(questions, question => Assert.True(question.CanRetry));
        Assert.Contains(lines.All, line => line.Text == "tries 3");
        await builds.AssertNothingLeftAsync(before);

        // Answered with "run it again", a step that then succeeds makes a whole build.
        answers.Enqueue(FailureAnswer.Retry);
        var result = await builds.BuildAsync(
            "asked", BuildNode.Shell("test -e /tmp/again || { touch /tmp/again; exit 1; }"), new Lines(), options);
        Assert.Equal("asked", result.Template!.Name);
    }

    [Fact]
    public async Task Ask_WithoutATerminal_SaysSo()
    {
        using var build = builds.Start("build", "-on-error=ask", builds.Write("unasked", BuildNode.Shell("exit 4")));
        build.Input.Close();
        Assert.Equal(1, await build.WaitAsync(Token));
        Assert.Contains("nobody can be asked", build.Said, StringComparison.Ordinal);
        Assert.Empty(await builds.Node.Machines.ListAsync(Token));
    }

    [Fact]
    public async Task CtrlC_EndsTheBuildWithItsMachine()
    {
        var before = builds.VolumeFiles().ToList();
        using var build = builds.Start("build", builds.Write("interrupted", BuildNode.Shell("echo now asleep; sleep 600")));
        await build.WaitForAsync("now asleep", Token);
        build.InterruptIt();
        Assert.Equal(130, await build.WaitAsync(Token));
        Assert.Null(await builds.Node.Templates.FindAsync("interrupted", Token));
        await builds.AssertNothingLeftAsync(before);
    }

    [Fact]
    public async Task TwoBuildsOfOneTemplateAtOnce_TheSecondIsRefused()
    {
        using var first = builds.Start("build", builds.Write("contended", BuildNode.Shell("echo now asleep; sleep 600")));
        await first.WaitForAsync("now asleep", Token);
        var problem = await Assert.ThrowsAsync<ProblemException>(
            () => builds.BuildAsync("contended", BuildNode.Shell("true"), new Lines()));
        Assert.Equal(ProblemKind.Conflict, problem.Problem.Kind);
        Assert.Contains("another build is making the template contended", problem.Problem.Summary, StringComparison.Ordinal);
        first.InterruptIt();
        await first.WaitAsync(Token);
        Assert.Empty(builds.Emulators());
    }
}
