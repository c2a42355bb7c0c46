using System.Text.Json;
using Gantry.Steps.Jobs;
using Gantry.Steps.Journals;
using Gantry.Steps.Recovery;

namespace Gantry.Steps.Tests.Journals;

public sealed class FileJournalTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TestFolder _folder = new();

    private string Home => _folder.Inside("jobs");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Create_NewJob_IsPrivateAndLive()
    {
        await using var journal = await NewHome().CreateAsync(Begun("j1"), None);
        const UnixFileMode folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.Equal(folder, File.GetUnixFileMode(Home));
        Assert.Equal(folder, File.GetUnixFileMode(Path.Combine(Home, "j1")));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite,
            File.GetUnixFileMode(Path.Combine(Home, "j1", "journal.jsonl")));
        Assert.Equal(["j1"], await NewHome().ListAsync(None));
        Assert.IsType<JournalAdoption.Live>(await NewHome().AdoptAsync("j1", None));
    }

    [Fact]
    public async Task Adopt_AfterItsOwnerLetGo_GivesTheSameLines()
    {
        await using (var journal = await NewHome().CreateAsync(Begun("j1"), None))
            await journal.AppendAsync(new JournalRecord.Doing(0) { At = default }, None);
        await using var again = await AdoptAsync("j1");
        Assert.Equal(2, again.Records.Length);
        Assert.Equal(new JournalRecord.Doing(0) { At = default }, again.Records[1]);
        Assert.Equal(Environment.ProcessId, ((JournalRecord.Begun)again.Records[0]).Owner.ProcessId);
        Assert.NotEmpty(((JournalRecord.Begun)again.Records[0]).Owner.BootId);
    }

    [Theory]
    [InlineData("{\"event\":\"doi")]
    [InlineData("\0\0\0\0")]
    [InlineData("\0\0\0\0oing\",\"step\":1}\n")]
    public async Task Adopt_TornLastLine_DropsItAndGoesOn(string torn)
    {
        await using (var journal = await NewHome().CreateAsync(Begun("j1"), None))
            await journal.AppendAsync(new JournalRecord.Doing(0) { At = default }, None);
        await File.AppendAllTextAsync(LinesOf("j1"), torn);
        await using (var again = await AdoptAsync("j1"))
        {
            Assert.Equal(2, again.Records.Length);
            await again.AppendAsync(new JournalRecord.Done(0) { At = default }, None);
        }

        await using var third = await AdoptAsync("j1");
        Assert.Equal(3, third.Records.Length);
    }

    [Fact]
    public async Task Adopt_DamagedLineInTheMiddle_IsReportedAndLeft()
    {
        await using (var journal = await NewHome().CreateAsync(Begun("j1"), None))
            await journal.AppendAsync(new JournalRecord.Doing(0) { At = default }, None);
        string text = await File.ReadAllTextAsync(LinesOf("j1"));
        text = text[..10] + "#" + text[11..];
        await File.WriteAllTextAsync(LinesOf("j1"), text);

        var recovery = new JobRecovery(NewHome(), new JobKindRegistry(FilesJob.Kind()), TimeProvider.System);
        var job = Assert.Single(await recovery.RecoverAsync(NoProgress.Instance, None));
        Assert.Equal(RecoveryOutcome.Unreadable, job.Outcome);
        Assert.Contains("Line 1", job.Detail!, StringComparison.Ordinal);
        Assert.Contains("j1", job.Detail!, StringComparison.Ordinal);
        Assert.Equal(text, await File.ReadAllTextAsync(LinesOf("j1")));
    }

    [Fact]
    public async Task Adopt_FolderWithoutLines_IsRemoved()
    {
        Directory.CreateDirectory(Path.Combine(Home, "j1"));
        Assert.IsType<JournalAdoption.Gone>(await NewHome().AdoptAsync("j1", None));
        Assert.Empty(await NewHome().ListAsync(None));
    }

    [Fact]
    public async Task Close_ManyJobs_KeepsTheLast()
    {
        var home = new FileJournalHome(Home, TimeProvider.System) { KeepFinished = 2 };
        foreach (string id in new[] { "j1", "j2", "j3" })
        {
            await using var journal = await home.CreateAsync(Begun(id), None);
            await journal.CloseAsync(None);
        }

        Assert.Empty(await home.ListAsync(None));
        Assert.Equal(
            ["j2.jsonl", "j3.jsonl"],
            Directory.GetFiles(Path.Combine(Home, "finished")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Rewrite_LargeJournal_HoldsTheShortestLines()
    {
        await using (var journal = await NewHome().CreateAsync(Begun("j1"), None))
        {
            var context = JsonSerializer.SerializeToElement(
                new FilesContext { Folder = new string('x', 200_000) }, FilesJson.Default.FilesContext);
            for (int i = 0; i < 6; i++)
                await journal.AppendAsync(new JournalRecord.Done(0) { At = default, Context = context }, None);
            Assert.True(journal.IsLarge);
            var done = new JournalRecord.Done(0) { At = default, Context = context };
            var state = JobState.Of([.. journal.Records, done]);
            await journal.RewriteAsync(state.Shortest(default), None);
            Assert.False(journal.IsLarge);
            await journal.AppendAsync(new JournalRecord.Doing(1) { At = default }, None);
        }

        await using var again = await AdoptAsync("j1");
        var found = JobState.Of(again.Records);
        Assert.Equal(3, again.Records.Length);
        Assert.Equal((StepPhase.Done, StepPhase.InDoubt), (found.Phase(0), found.Phase(1)));
        Assert.Equal(200_000, found.Context.Deserialize(FilesJson.Default.FilesContext)!.Folder.Length);
    }

    [Fact]
    public async Task Append_BeyondTheLimit_IsRefusedForwardAndNotBack()
    {
        await using var journal = await NewHome().CreateAsync(Begun("j1"), None);
        var context = JsonSerializer.SerializeToElement(new string('x', 250_000));
        await Assert.ThrowsAsync<JournalException>(async () =>
        {
            for (int i = 0; i < 100; i++)
                await journal.AppendAsync(new JournalRecord.Done(0) { At = default, Context = context }, None);
        });
        Assert.InRange(new FileInfo(LinesOf("j1")).Length, 3_500_000, JournalLimits.MaxBytes);
        await journal.AppendAsync(new JournalRecord.Turned(0, "too large", false) { At = default }, None);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("finished")]
    public async Task Adopt_BadId_IsRefused(string id) =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await NewHome().AdoptAsync(id, None));

    [Fact]
    public async Task Create_FolderThatCannotBeMade_SaysWhich()
    {
        await File.WriteAllTextAsync(_folder.Inside("plain"), "");
        var home = new FileJournalHome(_folder.Inside("plain/jobs"), TimeProvider.System);
        var error = await Assert.ThrowsAsync<JournalException>(async () => await home.CreateAsync(Begun("j1"), None));
        Assert.Contains("plain/jobs", error.Message, StringComparison.Ordinal);
    }

    private FileJournalHome NewHome() => new(Home, TimeProvider.System);

    private string LinesOf(string id) => Path.Combine(Home, id, "journal.jsonl");

    private async Task<IJournal> AdoptAsync(string id) =>
        Assert.IsType<JournalAdoption.Ours>(await NewHome().AdoptAsync(id, None)).Journal;

    private static JournalRecord.Begun Begun(string id) => new()
    {
        At = default,
        Format = 1,
        JobId = id,
        Kind = "files",
        Version = 1,
        Steps = ["make-folder", "copy", "count", "register"],
        Context = JsonSerializer.SerializeToElement(new FilesContext { Folder = "f" }, FilesJson.Default.FilesContext),
        Owner = JournalOwner.Current,
    };
}
