using Gantry.Steps.Jobs;
using Gantry.Steps.Journals;
using Gantry.Steps.Recovery;

namespace Gantry.Steps.Tests.Jobs;

public sealed class JobRunnerTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly MemoryJournalHome _home = new();
    private readonly List<string> _trace = [];
    private readonly FilesContext _context = new() { Folder = "" };

    [Fact]
    public async Task Run_AllStepsGood_ReturnsTheLastContextAndLeavesNoJournal()
    {
        var result = await RunAsync(Kind(Step("a"), Step("b")));
        Assert.Equal(2, result.Total);
        Assert.Equal(["do a 0", "do b 1"], _trace);
        Assert.Empty(await _home.ListAsync(None));
    }

    [Fact]
    public async Task Run_StepFails_UndoesItAndThoseBeforeInReverseAndSaysSo()
    {
        var error = await Assert.ThrowsAsync<StepFailedException>(
            () => RunAsync(Kind(Step("a"), Step("b", fails: true), Step("c"))));
        Assert.Equal(["do a 0", "do b 1", "undo b 1 in doubt", "undo a 1"], _trace);
        Assert.Equal(("b", "test"), (error.Damage.Step, error.Damage.Kind));
        Assert.Equal(["b", "a"], error.Damage.Undone);
        Assert.Empty(error.Damage.NotUndone);
        Assert.IsType<IOException>(error.InnerException);
        Assert.Matches("^The job .*-test-.* failed at its step 'b': b does not work Undone: b, a.$", error.Message);
        Assert.Empty(await _home.ListAsync(None));
    }

    [Fact]
    public async Task Run_UndoFails_StopsThereAndRecoveryTriesAgain()
    {
        bool broken = true;
        var kind = Kind(Step("a"), Step("b", undoFails: () => broken), Step("c", fails: true));
        var error = await Assert.ThrowsAsync<StepFailedException>(() => RunAsync(kind));
        Assert.Equal(["c"], error.Damage.Undone);
        Assert.Equal(["b", "a"], error.Damage.NotUndone);
        Assert.Contains("undoing 'b' failed: b stays", error.Message, StringComparison.Ordinal);

        var job = Assert.Single(await RecoverAsync(kind));
        Assert.Equal(RecoveryOutcome.Left, job.Outcome);
        broken = false;
        _trace.Clear();
        job = Assert.Single(await RecoverAsync(kind));
        Assert.Equal((RecoveryOutcome.Undone, "c does not work"), (job.Outcome, job.Detail));
        Assert.Equal(["undo b 2 repeated", "undo a 2"], _trace);
        Assert.Empty(await RecoverAsync(kind));
    }

    [Fact]
    public async Task Run_Cancelled_UndoesWithATokenOfItsOwn()
    {
        using var stop = new CancellationTokenSource();
        var kind = Kind(
            Step("a"),
            JobStep.Of<FilesContext>(
                "b",
                (c, _, token) =>
                {
                    stop.Cancel();
                    token.ThrowIfCancellationRequested();
                    return ValueTask.FromResult(c);
                },
                (_, _, token) =>
                {
                    token.ThrowIfCancellationRequested();
                    _trace.Add("undo b");
                    return ValueTask.CompletedTask;
                }));
        var error = await Assert.ThrowsAsync<JobCanceledException>(
            () => new JobRunner(_home, TimeProvider.System).RunAsync(kind, _context, NoProgress.Instance, stop.Token));
        Assert.Equal(["b", "a"], error.Damage.Undone);
        Assert.Equal(["do a 0", "undo b", "undo a 1"], _trace);
    }

    [Fact]
    public async Task Run_FailsBeyondThePointOfNoReturn_IsContinuedByRecovery()
    {
        bool broken = true;
        JobKind<FilesContext> kind = new(
            "test", 1, () => FilesJson.Default.FilesContext, CrashPolicy.Undo,
            [Step("a"), Step("b"), Step("c", failsIf: () => broken)], pointOfNoReturn: "b");
        var error = await Assert.ThrowsAsync<StepFailedException>(() => RunAsync(kind));
        Assert.True(error.Damage.WillContinue);
        Assert.Equal(RecoveryOutcome.Left, Assert.Single(await RecoverAsync(kind)).Outcome);
        broken = false;
        Assert.Equal(RecoveryOutcome.Resumed, Assert.Single(await RecoverAsync(kind)).Outcome);
        Assert.DoesNotContain(_trace, line => line.StartsWith("undo", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_JournalCannotTurn_UndoesNothing()
    {
        var kind = Kind(Step("a"), Step("b", fails: true));
        _home.BeforeAppend = record =>
        {
            if (record is JournalRecord.Turned)
                throw new JournalException("no room");
        };
        var error = await Assert.ThrowsAsync<JournalException>(() => RunAsync(kind));
        Assert.Contains("b does not work", error.Message, StringComparison.Ordinal);
        Assert.Contains("no room", error.Message, StringComparison.Ordinal);
        Assert.Equal(["do a 0", "do b 1"], _trace);
        _home.BeforeAppend = null;
        Assert.Equal(RecoveryOutcome.Undone, Assert.Single(await RecoverAsync(kind)).Outcome);
    }

    [Fact]
    public async Task Run_NoRoomForTheNextStep_UndoesWithTheRoomThatIsKept()
    {
        _home.BeforeAppend = record =>
        {
            if (record is JournalRecord.Doing { Step: 1 })
                throw new JournalException("no room");
        };
        var error = await Assert.ThrowsAsync<StepFailedException>(() => RunAsync(Kind(Step("a"), Step("b"))));
        Assert.Equal(["a"], error.Damage.Undone);
        Assert.Equal(["do a 0", "undo a 1"], _trace);
    }

    [Fact]
    public async Task Run_ContextTooLarge_FailsThatStep()
    {
        var kind = Kind(JobStep.Compute<FilesContext>(
            "grow", c => c with { Folder = new string('x', JournalLimits.MaxLineBytes) }));
        var error = await Assert.ThrowsAsync<StepFailedException>(() => RunAsync(kind));
        Assert.Contains("too large", error.Message, StringComparison.Ordinal);
        Assert.Contains("262144", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recovery_UnknownKindOrOtherSteps_LeavesTheJob()
    {
        var kind = Kind(Step("a"), Step("b"));
        _home.BeforeAppend = record =>
        {
            if (record is JournalRecord.Done { Step: 1 })
                _home.Crash();
        };
        await Assert.ThrowsAsync<JournalException>(() => RunAsync(kind));
        _home.BeforeAppend = null;

        var unknown = Assert.Single(await RecoverAsync());
        Assert.Equal((RecoveryOutcome.Unknown, "test"), (unknown.Outcome, unknown.Kind));
        Assert.Contains("'test' version 1", unknown.Detail!, StringComparison.Ordinal);
        var others = Assert.Single(await RecoverAsync(Kind(Step("a"), Step("c"))));
        Assert.Equal(RecoveryOutcome.Unknown, others.Outcome);
        Assert.Contains("a, c", others.Detail!, StringComparison.Ordinal);
        Assert.Equal(RecoveryOutcome.Undone, Assert.Single(await RecoverAsync(kind)).Outcome);
    }

    [Fact]
    public async Task Recovery_Stopped_LetsGoOfTheJob()
    {
        using var stop = new CancellationTokenSource();
        bool crash = true;
        JobKind<FilesContext> kind = new(
            "test", 1, () => FilesJson.Default.FilesContext, CrashPolicy.Resume,
            [
                JobStep.Of<FilesContext>(
                    "a",
                    (c, _, token) =>
                    {
                        if (crash)
                            _home.Crash();
                        else if (!stop.IsCancellationRequested)
                            stop.Cancel();
                        token.ThrowIfCancellationRequested();
                        return ValueTask.FromResult(c);
                    },
                    (_, _, _) => throw new InvalidOperationException("must not be undone")),
            ]);
        await Assert.ThrowsAsync<JournalException>(() => RunAsync(kind));
        crash = false;
        var recovery = new JobRecovery(_home, new JobKindRegistry(kind), TimeProvider.System);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => recovery.RecoverAsync(NoProgress.Instance, stop.Token));
        Assert.Equal(RecoveryOutcome.Resumed, Assert.Single(await RecoverAsync(kind)).Outcome);
    }

    [Fact]
    public async Task Run_Events_AreReportedInOrder()
    {
        var seen = new Seen();
        var kind = Kind(
            JobStep.Of<FilesContext>(
                "a",
                (c, run, _) =>
                {
                    run.Report("half");
                    return ValueTask.FromResult(c);
                },
                (_, _, _) => ValueTask.CompletedTask),
            Step("b", fails: true));
        await Assert.ThrowsAsync<StepFailedException>(
            () => new JobRunner(_home, TimeProvider.System).RunAsync(kind, _context, seen, None));
        Assert.Equal(
            [
                "a Doing", "a Reported half", "a Done", "b Doing", "b Failed b does not work",
                "b Undoing", "b Undone", "a Undoing", "a Undone",
            ],
            seen.Events);
    }

    [Theory]
    [InlineData("Upper")]
    [InlineData("")]
    [InlineData("two words")]
    public void Kind_BadStepName_IsRefused(string name) => Assert.Throws<ArgumentException>(() => Kind(Step(name)));

    [Fact]
    public void Kind_SameNameTwice_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => Kind(Step("a"), Step("a")));
        Assert.Throws<ArgumentException>(() => new JobKindRegistry(Kind(Step("a")), Kind(Step("b"))));
    }

    private Task<FilesContext> RunAsync(JobKind<FilesContext> kind) =>
        new JobRunner(_home, TimeProvider.System).RunAsync(kind, _context, NoProgress.Instance, None);

    private Task<System.Collections.Immutable.ImmutableArray<RecoveredJob>> RecoverAsync(params JobKind[] kinds) =>
        new JobRecovery(_home, new JobKindRegistry(kinds), TimeProvider.System).RecoverAsync(NoProgress.Instance, None);

    private static JobKind<FilesContext> Kind(params IJobStep<FilesContext>[] steps) =>
        new("test", 1, () => FilesJson.Default.FilesContext, CrashPolicy.Undo, [.. steps]);

    private IJobStep<FilesContext> Step(
        string name, bool fails = false, Func<bool>? failsIf = null, Func<bool>? undoFails = null) =>
        JobStep.Of<FilesContext>(
            name,
            (c, _, _) =>
            {
                _trace.Add($"do {name} {c.Total}");
                return fails || failsIf?.Invoke() == true
                    ? throw new IOException($"{name} does not work")
                    : ValueTask.FromResult(c with { Total = c.Total + 1 });
            },
            (c, run, _) =>
            {
                string how = (run.Repeated ? " repeated" : "") + (run.InDoubt ? " in doubt" : "");
                _trace.Add($"undo {name} {c.Total}{how}");
                return undoFails?.Invoke() == true
                    ? throw new IOException($"{name} stays") : ValueTask.CompletedTask;
            });

    private sealed class Seen : IJobProgress
    {
        public List<string> Events { get; } = [];

        public void Report(JobProgress progress) => Events.Add(
            $"{progress.Step} {progress.Event} {progress.Report?.Text}{progress.Error}".TrimEnd());
    }
}
