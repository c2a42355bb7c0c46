using Gantry.Steps.Jobs;
using Gantry.Steps.Journals;
using Gantry.Steps.Recovery;

namespace Gantry.Steps.Tests.Processes;

/// <summary>Real processes, really killed, at each place of a job.</summary>
public sealed class KilledProcessTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TestFolder _folder = new();

    private string Journals => _folder.Inside("all/jobs");

    private string World => _folder.Inside("all/world");

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> ForwardPlaces()
    {
        var data = new TheoryData<string>("make-folder-begins", "make-folder-ends", "copy-half", "register-ends");
        for (int line = 1; line <= 8; line++)
            data.Add($"{ChildJob.BeforeLine}{line}");
        return data;
    }

    [Theory]
    [MemberData(nameof(ForwardPlaces))]
    public async Task Process_KilledOnTheWayForward_IsResumedOrUndone(string place)
    {
        Assert.Equal(128 + 9, await RunAsync(place, CrashPolicy.Undo));
        string left = _folder.Inside("left");
        Copy(_folder.Inside("all"), left);

        Assert.Equal(RecoveryOutcome.Undone, Assert.Single(await RecoverAsync(CrashPolicy.Undo)).Outcome);
        await FilesJob.AssertUndone(World);
        Assert.Empty(await RecoverAsync(CrashPolicy.Undo));

        // What the process left does not hang on the policy: once more from there, with the other one.
        Directory.Delete(_folder.Inside("all"), recursive: true);
        Copy(left, _folder.Inside("all"));
        Assert.Equal(RecoveryOutcome.Resumed, Assert.Single(await RecoverAsync(CrashPolicy.Resume)).Outcome);
        await FilesJob.AssertDone(World);
        Assert.Empty(await RecoverAsync(CrashPolicy.Resume));
    }

    [Theory]
    [InlineData(9, CrashPolicy.Undo)]
    [InlineData(10, CrashPolicy.Undo)]
    public async Task Process_KilledAfterTheLastStep_LeavesItsWork(int line, CrashPolicy policy)
    {
        Assert.Equal(128 + 9, await RunAsync($"{ChildJob.BeforeLine}{line}", policy));
        Assert.Equal(RecoveryOutcome.Closed, Assert.Single(await RecoverAsync(policy)).Outcome);
        await FilesJob.AssertDone(World);
    }

    [Theory]
    [InlineData("uncopy-begins")]
    [InlineData("uncopy-ends")]
    [InlineData("before-line-8")]
    [InlineData("before-line-9")]
    [InlineData("before-line-12")]
    [InlineData("before-line-15")]
    public async Task Process_KilledOnTheWayBack_IsUndoneWhateverThePolicy(string place)
    {
        Assert.Equal(128 + 9, await RunAsync(place, CrashPolicy.Resume, failAt: "register-ends"));
        // Before the line that turns the job, its policy holds.
        bool turned = place != "before-line-8";
        var job = Assert.Single(await RecoverAsync(CrashPolicy.Resume));
        Assert.Equal(turned ? RecoveryOutcome.Undone : RecoveryOutcome.Resumed, job.Outcome);
        await (turned ? FilesJob.AssertUndone(World) : FilesJob.AssertDone(World));
    }

    [Fact]
    public async Task Process_Alive_IsLeftAloneUntilItIsKilled()
    {
        using var child = ChildJob.Start(ChildJob.WaitInside, Journals, World, CrashPolicy.Undo);
        Assert.Equal("inside", await child.StandardOutput.ReadLineAsync());

        Assert.Equal(RecoveryOutcome.Live, Assert.Single(await RecoverAsync(CrashPolicy.Undo)).Outcome);
        child.Kill();
        await child.WaitForExitAsync();
        Assert.Equal(RecoveryOutcome.Undone, Assert.Single(await RecoverAsync(CrashPolicy.Undo)).Outcome);
        await FilesJob.AssertUndone(World);
    }

    [Fact]
    public async Task Process_NotKilled_LeavesNothingToRecover()
    {
        Assert.Equal(0, await RunAsync("nowhere", CrashPolicy.Undo));
        await FilesJob.AssertDone(World);
        Assert.Empty(await RecoverAsync(CrashPolicy.Undo));
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    private async Task<int> RunAsync(string place, CrashPolicy policy, string failAt = "")
    {
        Directory.CreateDirectory(_folder.Inside("all"));
        using var child = ChildJob.Start(place, Journals, World, policy, failAt);
        await child.WaitForExitAsync();
        return child.ExitCode;
    }

    private Task<System.Collections.Immutable.ImmutableArray<RecoveredJob>> RecoverAsync(CrashPolicy policy) =>
        new JobRecovery(
            new FileJournalHome(Journals, TimeProvider.System),
            new JobKindRegistry(FilesJob.Kind(policy: policy)),
            TimeProvider.System).RecoverAsync(NoProgress.Instance, None);
}
