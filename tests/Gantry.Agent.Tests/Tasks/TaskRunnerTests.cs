using Gantry.Agent.Tasks;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.State;
using Gantry.Model.Tasks;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gantry.Agent.Tests.Tasks;

public sealed class TaskRunnerTests : IAsyncDisposable
{
    private const string Node = "sirius";

    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-tasks-").FullName;
    private readonly InMemoryStateStore _store = new();
    private readonly ScriptedWorker _worker = new();
    private CancellationTokenSource _stop = new();
    private Task _run = Task.CompletedTask;
    private TaskRunner _runner = null!;
    private int _count;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Order_IsDone_AndItsResultAndLogAreKept()
    {
        Start();
        _worker.Script = (_, progress, _) =>
        {
            progress.Activity("Working");
            progress.Note("a line");
            return Task.FromResult(new TaskResult { Machine = new MachineNumber(100) });
        };
        var state = await EndedAsync(await OrderAsync());
        Assert.Equal((TaskPhase.Done, 100), (state.Phase, state.Result!.Machine!.Value.Value));
        Assert.True(state.Started <= state.Ended);
        Assert.Equal(["Working", "a line"], await LinesAsync(state.Id, 0));
    }

    [Fact]
    public async Task Follower_HearsLinesAndProgressWhileItRuns_AndGoesOnFromAnOffset()
    {
        Start();
        var go = new TaskCompletionSource();
        _worker.Script = async (_, progress, token) =>
        {
            progress.Activity("Copying");
            progress.Amount(1, 2, "files");
            await go.Task.WaitAsync(token);
            progress.Note("the rest");
            return TaskResult.Nothing;
        };
        var id = await OrderAsync();
        var heard = new List<TaskNews>();
        await foreach (var news in _runner.FollowAsync(id, 0, Token))
        {
            heard.Add(news);
            if (news.Progress is { Done: 1, Total: 2, Unit: "files" })
                go.TrySetResult();
        }

        Assert.Equal(["Copying", "the rest"], heard.Select(one => one.Line).OfType<string>());
        var first = heard.First(one => one.Line is not null).Offset;
        Assert.Equal(["the rest"], await LinesAsync(id, first));
    }

    [Fact]
    public async Task Failure_IsKeptWithItsReason()
    {
        Start();
        _worker.Script = (_, _, _) => throw new ProblemException(ProblemKind.Conflict, "it runs", "stop it");
        var state = await EndedAsync(await OrderAsync());
        Assert.Equal((TaskPhase.Failed, "it runs", "stop it"), (state.Phase, state.Problem!.Summary, state.Problem.Remedy));
    }

    [Fact]
    public async Task Mistake_IsAFailedTask_AndTheNextOneIsDone()
    {
        Start();
        _worker.Script = (_, _, _) => throw new InvalidOperationException("oh");
        Assert.Equal(TaskPhase.Failed, (await EndedAsync(await OrderAsync())).Phase);
        _worker.Script = (_, _, _) => Task.FromResult(TaskResult.Nothing);
        Assert.Equal(TaskPhase.Done, (await EndedAsync(await OrderAsync())).Phase);
    }

    [Fact]
    public async Task Cancel_OfARunningTask_EndsIt_AndOfAWaitingOneBeforeItBegins()
    {
        Start();
        _worker.Script = async (_, _, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return TaskResult.Nothing;
        };
        var running = new List<string>();
        for (var i = 0; i < 8; i++)
            running.Add(await OrderAsync());
        foreach (var id in running)
            await WaitAsync(id, state => state?.Phase == TaskPhase.Running);
        var waiting = await OrderAsync();
        await CancelAsync(waiting);
        var state = await EndedAsync(waiting);
        Assert.Equal(TaskPhase.Cancelled, state.Phase);
        Assert.Null(state.Started);
        await CancelAsync(running[0]);
        Assert.Equal(TaskPhase.Cancelled, (await EndedAsync(running[0])).Phase);
        Assert.Equal(8, _worker.Calls);
    }

    [Fact]
    public async Task Node_ThatIsStopped_TakesItsTasksBack_AndTheNextDoesNotDoThemAgain()
    {
        Start();
        _worker.Script = async (_, _, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return TaskResult.Nothing;
        };
        var id = await OrderAsync();
        await WaitAsync(id, state => state?.Phase == TaskPhase.Running);
        await StopAsync();
        Assert.Equal(TaskPhase.Failed, (await EndedAsync(id)).Phase);
        Start();
        await EndedAsync(await OrderAsync(cancelled: true));
        Assert.Equal(1, _worker.Calls);
    }

    [Fact]
    public async Task Node_ThatDied_LeavesATaskThatTheNextOneCallsFailed_AndDoesWhatWaited()
    {
        // As a node leaves them that is killed: one under way, one that had not begun.
        var dead = await OrderAsync();
        await _store.CommitAsync(
            new StateTransaction
            {
                Then = [TaskRecords.States(_store).Put(dead, new TaskState { Id = dead, Phase = TaskPhase.Running })],
            },
            Token);
        var waiting = await OrderAsync();
        Start();
        Assert.Equal(TaskPhase.Done, (await EndedAsync(waiting)).Phase);
        var state = await EndedAsync(dead);
        Assert.Equal(TaskPhase.Failed, state.Phase);
        Assert.Contains("the node ended", state.Problem!.Summary, StringComparison.Ordinal);
        Assert.Equal(1, _worker.Calls);
    }

    [Fact]
    public async Task AnotherNodesOrder_IsLeftAlone()
    {
        Start();
        await OrderAsync(node: "houston");
        await EndedAsync(await OrderAsync());
        Assert.Equal(1, _worker.Calls);
    }

    [Fact]
    public async Task OldTasks_AreForgottenWithTheirLogs_AndTheNewestKept()
    {
        Start();
        var first = await OrderAsync();
        await EndedAsync(first);
        for (var i = 0; i < TaskRunner.Kept + 1; i++)
            await EndedAsync(await OrderAsync());
        await OrderAsync();
        while (await TaskRecords.Orders(_store).GetAsync(first, Token) is not null)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Token);
        Assert.False(File.Exists(Path.Combine(_folder, first + ".log")));
        Assert.InRange((await TaskRecords.States(_store).ListAsync(Token)).Length, TaskRunner.Kept - 1, TaskRunner.Kept + 3);
    }

    [Fact]
    public async Task Log_ThatIsTooLong_IsCutOffAndSaysSo()
    {
        Start();
        var line = new string('x', 8000);
        _worker.Script = (_, progress, _) =>
        {
            for (var i = 0; i < 2200; i++)
                progress.Note(line);
            return Task.FromResult(TaskResult.Nothing);
        };
        var id = await OrderAsync();
        await EndedAsync(id);
        Assert.InRange(new FileInfo(Path.Combine(_folder, id + ".log")).Length, 16_000_000, 17_000_000);
        Assert.Contains("the log is full", (await LinesAsync(id, 0))[^1], StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private void Start()
    {
        _stop = new CancellationTokenSource();
        _runner = new TaskRunner(Node, _store, _worker, _folder, TimeProvider.System, NullLogger.Instance);
        _run = _runner.RunAsync(_stop.Token);
    }

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task<string> OrderAsync(string node = Node, bool cancelled = false)
    {
        var order = new TaskOrder
        {
            Id = $"{++_count:x12}-00000000",
            Node = node,
            Work = new TaskWork.CreateMachine { Template = "debian", New = new NewMachine { Name = "web" } },
            By = "test",
            At = DateTimeOffset.UnixEpoch,
            Cancelled = cancelled,
        };
        await TaskRecords.Orders(_store).CreateAsync(order.Id, order, Token);
        return order.Id;
    }

    private async Task CancelAsync(string id) =>
        await TaskRecords.Orders(_store).UpdateAsync(id, order => order with { Cancelled = true }, Token);

    private async Task<TaskState> EndedAsync(string id) => (await WaitAsync(id, state => state?.HasEnded == true))!;

    private async Task<TaskState?> WaitAsync(string id, Func<TaskState?, bool> until)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        await foreach (var news in TaskRecords.States(_store).FollowAsync(limit.Token))
        {
            var state = news.All.GetValueOrDefault(id)?.Value;
            if (until(state))
                return state;
        }

        throw new InvalidOperationException("the stream ended");
    }

    private async Task<List<string>> LinesAsync(string id, long offset)
    {
        var lines = new List<string>();
        await foreach (var news in _runner.FollowAsync(id, offset, Token))
        {
            if (news.Line is { } line)
                lines.Add(line);
        }

        return lines;
    }

    private sealed class ScriptedWorker : ITaskWorker
    {
        private int _calls;

        public Func<TaskWork, IProgressSink, CancellationToken, Task<TaskResult>> Script { get; set; } =
            (_, _, _) => Task.FromResult(TaskResult.Nothing);

        public int Calls => _calls;

        public Task<TaskResult> DoAsync(TaskWork work, IProgressSink progress, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _calls);
            return Script(work, progress, cancellationToken);
        }
    }
}
