using Gantry.Steps.Drill;
using Gantry.Steps.Jobs;

namespace Gantry.Steps.Tests.Drill;

public sealed class StepDrillTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TestFolder _folder = new();
    private int _worlds;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData("make-folder")]
    [InlineData("copy")]
    [InlineData("register")]
    public async Task Drill_GoodSteps_PassesEveryScenario(string? noReturn)
    {
        var scenarios = await new StepDrill<FilesContext>(() => World(() => FilesJob.Kind(noReturn: noReturn)))
            .RunAsync(None);

        Assert.True(scenarios.Length > 60, $"{scenarios.Length} scenarios");
        Assert.Equal(scenarios.Length, scenarios.Distinct().Count());
        Assert.Contains("crash at during-do-1 of copy, Resume", scenarios);
        Assert.Contains("fail at before-do of make-folder", scenarios);
    }

    [Fact]
    public async Task Drill_UndoThatDoesNothing_IsFound()
    {
        var error = await FindAsync(JobStep.Of<FilesContext>(
            "bad", (c, _, _) => Write(c, "x", append: false), (_, _, _) => ValueTask.CompletedTask));
        Assert.StartsWith("fail at", error.Scenario, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drill_DoThatCannotBeRepeated_IsFound()
    {
        var error = await FindAsync(JobStep.Of<FilesContext>("bad", (c, _, _) => Write(c, "x", append: true), Remove));
        Assert.Equal("crash at after-do of bad, Resume", error.Scenario);
    }

    [Fact]
    public async Task Drill_UndoThatNeedsTheStepToBeWhole_IsFound()
    {
        var error = await FindAsync(JobStep.Of<FilesContext>(
            "bad",
            (c, _, _) => Write(c, "x", append: false),
            (c, run, _) => File.Exists(Made(c)) ? Remove(c, run, None) : throw new IOException("no such file")));
        Assert.Equal("fail at before-do of bad", error.Scenario);
    }

    [Fact]
    public async Task Drill_UndoThatRunsOnce_IsFound()
    {
        int undone = 0;
        var error = await FindAsync(JobStep.Of<FilesContext>(
            "bad",
            (c, _, _) =>
            {
                undone = 0;
                return Write(c, "x", append: false);
            },
            (c, run, _) => ++undone == 1 ? Remove(c, run, None) : throw new IOException("again?")));
        Assert.Contains("undo", error.Scenario, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drill_StepThatKeepsItsStateInMemory_IsFound()
    {
        var error = await Assert.ThrowsAsync<DrillFailedException>(() => new StepDrill<FilesContext>(() => World(() =>
        {
            bool made = false;
            return KindOf(JobStep.Of<FilesContext>(
                "bad",
                (c, _, _) =>
                {
                    made = true;
                    return Write(c, "x", append: false);
                },
                (c, run, _) => made ? Remove(c, run, None) : ValueTask.CompletedTask));
        }, SimpleDone)).RunAsync(None));
        Assert.Equal("crash at after-do of bad, Undo", error.Scenario);
    }

    private async Task<DrillFailedException> FindAsync(IJobStep<FilesContext> step) =>
        await Assert.ThrowsAsync<DrillFailedException>(
            () => new StepDrill<FilesContext>(() => World(() => KindOf(step), SimpleDone)).RunAsync(None));

    private ValueTask<DrillWorld<FilesContext>> World(
        Func<JobKind<FilesContext>> kind, Func<string, ValueTask>? done = null)
    {
        string folder = _folder.Inside($"world-{_worlds++}");
        return ValueTask.FromResult(new DrillWorld<FilesContext>
        {
            NewKind = kind,
            Context = FilesJob.World(folder),
            AssertDone = () => (done ?? FilesJob.AssertDone)(folder),
            AssertUndone = () => FilesJob.AssertUndone(folder),
            CleanUp = () =>
            {
                Directory.Delete(folder, recursive: true);
                return ValueTask.CompletedTask;
            },
        });
    }

    private static JobKind<FilesContext> KindOf(IJobStep<FilesContext> step) =>
        new("bad-job", 1, () => FilesJson.Default.FilesContext, CrashPolicy.Undo, [step]);

    private static ValueTask SimpleDone(string folder)
    {
        Assert.Equal("x", File.ReadAllText(Path.Combine(folder, "made")));
        return ValueTask.CompletedTask;
    }

    private static string Made(FilesContext context) => Path.Combine(context.Folder, "made");

    private static ValueTask<FilesContext> Write(FilesContext context, string text, bool append)
    {
        if (append)
            File.AppendAllText(Made(context), text);
        else
            File.WriteAllText(Made(context), text);
        return ValueTask.FromResult(context);
    }

    private static ValueTask Remove(FilesContext context, StepRun run, CancellationToken cancellationToken)
    {
        File.Delete(Made(context));
        return ValueTask.CompletedTask;
    }
}
