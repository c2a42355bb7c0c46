using System.Collections.Concurrent;
using Gantry.Agent.Assignments;
using Gantry.Machines.Catalog;
using Gantry.Machines.Run;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;
using Microsoft.Extensions.Logging;

namespace Gantry.Agent;

/// <summary>The node that an agent belongs to.</summary>
/// <param name="Name">As assignments have it.</param>
/// <param name="Boot">The kernel's id of the host's present boot.</param>
public sealed record AgentNode(string Name, Guid Boot);

/// <summary>
/// The part of a node that makes assigned machines real: one keeper for each machine that is recorded, told of its
/// assignments by watching the store.
/// </summary>
/// <param name="node">Which node it is the agent of.</param>
/// <param name="host">Starts and ends machines.</param>
/// <param name="machines">Their records.</param>
/// <param name="store">Where assignments are read and statuses written.</param>
/// <param name="time">The clock.</param>
/// <param name="log">What goes wrong with the work itself; what goes wrong with a machine is in its status.</param>
/// <param name="onStarted">Called after each start of a machine.</param>
public sealed partial class MachineAgent(
    AgentNode node, MachineHost host, MachineCatalog machines, IStateStore store, TimeProvider time, ILogger log,
    Func<MachineNumber, CancellationToken, Task> onStarted)
{
    /// <summary>How soon a machine is noticed that another program started.</summary>
    private static readonly TimeSpan LookAround = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan AfterTrouble = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<MachineNumber, Kept> _kept = new();
    private readonly ConcurrentDictionary<MachineNumber, MachineAssignment> _assignments = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _assignmentsRead = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when no machine's status tells of a run that ended before this agent began.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Runs until it is cancelled; the machines run on.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(
                AgainAndAgainAsync(FollowMachinesAsync, cancellationToken),
                AgainAndAgainAsync(FollowAssignmentsAsync, cancellationToken),
                AgainAndAgainAsync(LookAroundAsync, cancellationToken)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }

        foreach (var kept in _kept.Values)
            await kept.Work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task FollowMachinesAsync(CancellationToken cancellationToken)
    {
        // A keeper that does not know yet that its machine is to run would take its end for good.
        await _assignmentsRead.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var news in RunningRecords.Machines(store).FollowAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (var id in news.Changed)
            {
                var number = RunningRecords.Number(id);
                var record = news.All.GetValueOrDefault(id)?.Value;
                var wanted = record is { Role: MachineRole.Ordinary } ? record.Uuid : (Guid?)null;
                if (_kept.TryGetValue(number, out var kept) && kept.Keeper.Machine != wanted)
                {
                    _kept.TryRemove(number, out _);
                    await kept.EndAsync().ConfigureAwait(false);
                }

                if (wanted is { } uuid && !_kept.ContainsKey(number))
                    Keep(number, uuid, cancellationToken);
            }

            if (_ready.Task.IsCompleted)
                continue;
            await Task.WhenAll(_kept.Values.Select(kept => kept.Keeper.Looked)).WaitAsync(cancellationToken)
                .ConfigureAwait(false);
            await SayBootAsync(cancellationToken).ConfigureAwait(false);
            _ready.TrySetResult();
        }
    }

    private async Task FollowAssignmentsAsync(CancellationToken cancellationToken)
    {
        var all = RunningRecords.Assignments(store);
        await foreach (var news in all.FollowAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (var id in news.Changed)
            {
                var number = RunningRecords.Number(id);
                if (news.All.GetValueOrDefault(id)?.Value is { } assignment && assignment.Node == node.Name)
                    _assignments[number] = assignment;
                else
                    _assignments.TryRemove(number, out _);
                if (_kept.TryGetValue(number, out var kept))
                    Tell(number, kept.Keeper);
            }

            _assignmentsRead.TrySetResult();
        }
    }

    private async Task SayBootAsync(CancellationToken cancellationToken)
    {
        var status = new NodeStatus { Name = node.Name, Boot = node.Boot, Since = time.GetUtcNow() };
        await store.CommitAsync(
            new StateTransaction { Then = [RunningRecords.Nodes(store).Put(node.Name, status)] }, cancellationToken)
            .ConfigureAwait(false);
    }

    private async Task LookAroundAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(LookAround, time, cancellationToken).ConfigureAwait(false);
            foreach (var number in host.WithRunFolders())
            {
                if (_kept.TryGetValue(number, out var kept) && !kept.Keeper.Running && host.IsAlive(number))
                    kept.Keeper.Look();
            }
        }
    }

    private void Keep(MachineNumber number, Guid uuid, CancellationToken cancellationToken)
    {
        var keeper = new MachineKeeper(node, number, uuid, host, machines, store, time, onStarted);
        Tell(number, keeper);
        var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _kept[number] = new Kept(
            keeper, end, Task.Run(() => AgainAndAgainAsync(keeper.RunAsync, end.Token), CancellationToken.None));
        // The assignment may have come between the two lines above.
        Tell(number, keeper);
    }

    private void Tell(MachineNumber number, MachineKeeper keeper) =>
        keeper.Assign(_assignments.TryGetValue(number, out var assignment) && assignment.Machine == keeper.Machine
            ? assignment : null);

    /// <summary>One thing that fails must not end the others, and what was in the way may go.</summary>
    private async Task AgainAndAgainAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await work(cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                Trouble(log, e);
            }

            await Task.Delay(AfterTrouble, time, cancellationToken).ConfigureAwait(false);
        }
    }

    [LoggerMessage(LogLevel.Error, "The agent starts a part of its work again")]
    private static partial void Trouble(ILogger log, Exception exception);

    private sealed record Kept(MachineKeeper Keeper, CancellationTokenSource End, Task Work)
    {
        public async Task EndAsync()
        {
            await End.CancelAsync().ConfigureAwait(false);
            await Work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            End.Dispose();
            Keeper.Dispose();
        }
    }
}
