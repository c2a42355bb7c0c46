using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Gantry.Model;
using Gantry.Model.State;
using Gantry.Model.Tasks;
using Microsoft.Extensions.Logging;

namespace Gantry.Agent.Tasks;

/// <summary>
/// Does a node's tasks, in the order in which they were asked for and several at a time, and keeps what became of the
/// newest ones. What each said is in a file of its own.
/// </summary>
/// <param name="node">Whose tasks.</param>
/// <param name="store">Where orders are read and states written.</param>
/// <param name="worker">Does what they are about.</param>
/// <param name="folder">Where the logs are; made when it is not there.</param>
/// <param name="time">The clock.</param>
/// <param name="log">What goes wrong with the work itself; what goes wrong with a task is in its state.</param>
public sealed partial class TaskRunner(
    string node, IStateStore store, ITaskWorker worker, string folder, TimeProvider time, ILogger log) : INodeTasks
{
    /// <summary>Tasks that have ended and are kept.</summary>
    public const int Kept = 1000;

    /// <summary>Tasks at a time; those that concern one machine wait for its lock besides.</summary>
    private const int AtOnce = 8;

    private readonly DocumentCollection<TaskOrder> _orders = TaskRecords.Orders(store);
    private readonly DocumentCollection<TaskState> _states = TaskRecords.States(store);
    private readonly ConcurrentDictionary<string, Running> _running = new(StringComparer.Ordinal);

    /// <summary>A task was taken up.</summary>
    private readonly ChangeSignal _begun = new();

    /// <summary>Runs until it is cancelled; tasks under way are then taken back and have failed.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        using var room = new SemaphoreSlim(AtOnce);
        try
        {
            var ended = await ReadEndedAsync(cancellationToken).ConfigureAwait(false);
            _begun.Raise();
            await foreach (var news in _orders.FollowAsync(cancellationToken).ConfigureAwait(false))
            {
                // In the order of their ids, which is that of the asking.
                foreach (var id in news.Changed.Order(StringComparer.Ordinal))
                {
                    if (news.All.GetValueOrDefault(id)?.Value is not { } order || order.Node != node
                        || ended.Contains(id))
                        continue;
                    if (_running.TryGetValue(id, out var known))
                        known.Tell(order);
                    else
                        Begin(order, room, cancellationToken);
                }

                foreach (var (id, running) in _running)
                {
                    if (!running.Work.IsCompleted)
                        continue;
                    await running.Work.ConfigureAwait(false);
                    _running.TryRemove(id, out _);
                    running.Dispose();
                    ended.Add(id);
                }

                await ForgetAsync(news.All.Values.Where(one => ended.Contains(one.Value.Id)), ended, cancellationToken)
                    .ConfigureAwait(false);
            }
        }
        finally
        {
            await Task.WhenAll(_running.Values.Select(running => running.Work))
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc/>
    public TaskProgress? Progress(string id) =>
        _running.TryGetValue(id, out var running) && running.Feed is { } feed ? feed.Progress : null;

    /// <inheritdoc/>
    public async IAsyncEnumerable<TaskNews> FollowAsync(
        string id, long offset, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (await FindAsync(id, cancellationToken).ConfigureAwait(false) is { } running)
        {
            if (await running.Begun.WaitAsync(cancellationToken).ConfigureAwait(false) is not { } feed)
                yield break;
            await foreach (var news in feed.FollowAsync(offset, cancellationToken).ConfigureAwait(false))
                yield return news;
            yield break;
        }

        foreach (var news in TaskFeed.Read(LogOf(id), offset))
            yield return news;
    }

    /// <summary>
    /// A task that runs or waits; null for one that is over. One that was just asked for is waited for.
    /// </summary>
    private async Task<Running?> FindAsync(string id, CancellationToken cancellationToken)
    {
        while (true)
        {
            var next = _begun.Next;
            if (_running.TryGetValue(id, out var running))
                return running;
            var order = await _orders.GetAsync(id, cancellationToken).ConfigureAwait(false);
            var state = await _states.GetAsync(id, cancellationToken).ConfigureAwait(false);
            if (order is null || order.Value.Node != node || state?.Value.HasEnded == true)
                return null;
            await next.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The tasks that are over. One that was running when the node ended is: what it had begun was taken back before
    /// this began.
    /// </summary>
    private async Task<HashSet<string>> ReadEndedAsync(CancellationToken cancellationToken)
    {
        var ended = new HashSet<string>(StringComparer.Ordinal);
        var orders = (await _orders.ReadAllAsync(cancellationToken).ConfigureAwait(false)).All;
        foreach (var state in await _states.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            // Another node's: it says of them what it likes.
            if (orders.GetValueOrDefault(state.Value.Id)?.Value.Node is { } other && other != node)
                continue;
            ended.Add(state.Value.Id);
            if (!state.Value.HasEnded)
            {
                await WriteAsync(
                    state.Value with { Phase = TaskPhase.Failed, Ended = time.GetUtcNow(), Problem = Interrupted },
                    cancellationToken).ConfigureAwait(false);
            }
        }

        return ended;
    }

    private static Problem Interrupted { get; } = new()
    {
        Kind = ProblemKind.Failed,
        Summary = "the node ended while this was under way; what it had begun was taken back or finished",
        Remedy = "look whether it is done, and ask for it again if not",
    };

    private string LogOf(string id) => Path.Combine(folder, id + ".log");

    private void Begin(TaskOrder order, SemaphoreSlim room, CancellationToken cancellationToken)
    {
        var running = new Running(CancellationTokenSource.CreateLinkedTokenSource(cancellationToken));
        running.Tell(order);
        _running[order.Id] = running;
        running.Work = Task.Run(() => DoAsync(order, running, room, cancellationToken), CancellationToken.None);
        _begun.Raise();
    }

    private async Task DoAsync(TaskOrder order, Running running, SemaphoreSlim room, CancellationToken stop)
    {
        var state = new TaskState { Id = order.Id, Phase = TaskPhase.Queued };
        try
        {
            await room.WaitAsync(running.Cancel.Token).ConfigureAwait(false);
            try
            {
                state = state with { Phase = TaskPhase.Running, Started = time.GetUtcNow() };
                await WriteAsync(state, running.Cancel.Token).ConfigureAwait(false);
                using var feed = new TaskFeed(LogOf(order.Id));
                running.Open(feed);
                var result = await worker.DoAsync(order.Work, feed, running.Cancel.Token).ConfigureAwait(false);
                state = state with { Phase = TaskPhase.Done, Result = result };
            }
            finally
            {
                room.Release();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            state = state with { Phase = TaskPhase.Failed, Problem = Interrupted };
        }
        catch (OperationCanceledException) when (running.Cancel.IsCancellationRequested)
        {
            state = state with { Phase = TaskPhase.Cancelled };
        }
        catch (ProblemException e)
        {
            state = state with { Phase = TaskPhase.Failed, Problem = e.Problem };
        }
        catch (Exception e) when (e is not StateStoreException)
        {
            Bug(log, order.Id, order.Work.KindName, e);
            state = state with
            {
                Phase = TaskPhase.Failed,
                Problem = new Problem
                {
                    Kind = ProblemKind.Failed,
                    Summary = $"Gantry made a mistake: {e.Message}",
                    Detail = e.ToString(),
                },
            };
        }

        // Nobody waits for its log any longer, also where it never had one.
        running.Open(null);
        await WriteAsync(state with { Ended = time.GetUtcNow() }, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task WriteAsync(TaskState state, CancellationToken cancellationToken) => await store.CommitAsync(
        new StateTransaction { Then = [_states.Put(state.Id, state)] }, cancellationToken).ConfigureAwait(false);

    private async Task ForgetAsync(
        IEnumerable<Document<TaskOrder>> over, HashSet<string> ended, CancellationToken cancellationToken)
    {
        // Oldest first; a node that was off for long may have many.
        var ours = over.Where(order => order.Value.Node == node).ToList();
        foreach (var order in ours.Take(ours.Count - Kept))
        {
            var id = order.Value.Id;
            await store.CommitAsync(
                new StateTransaction { Then = [.. TaskRecords.Forget(order.Value)] }, cancellationToken)
                .ConfigureAwait(false);
            File.Delete(LogOf(id));
            ended.Remove(id);
        }
    }

    [LoggerMessage(LogLevel.Error, "Task {Id}, {Kind}, failed by a mistake of Gantry's")]
    private static partial void Bug(ILogger log, string id, string kind, Exception exception);

    private sealed class Running(CancellationTokenSource cancel) : IDisposable
    {
        private readonly TaskCompletionSource<TaskFeed?> _begun = new(
            TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationTokenSource Cancel => cancel;

        public Task Work { get; set; } = Task.CompletedTask;

        public Task<TaskFeed?> Begun => _begun.Task;

        /// <summary>Null before it has begun.</summary>
        public TaskFeed? Feed { get; private set; }

        public void Open(TaskFeed? feed)
        {
            Feed ??= feed;
            _begun.TrySetResult(feed);
        }

        public void Tell(TaskOrder order)
        {
            if (order.Cancelled)
                cancel.Cancel();
        }

        public void Dispose() => cancel.Dispose();
    }
}
