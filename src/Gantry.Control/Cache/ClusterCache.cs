using System.Collections.Immutable;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;
using Gantry.Model.Tasks;

namespace Gantry.Control.Cache;

/// <summary>
/// Keeps a <see cref="ClusterView"/> up to date by one watch of the store, so that a read costs the store nothing. What
/// one transaction changed becomes visible together.
/// </summary>
public sealed class ClusterCache(IStateStore store)
{
    private readonly DocumentCollection<MachineRecord> _machines = RunningRecords.Machines(store);
    private readonly DocumentCollection<PowerIntent> _intents = RunningRecords.Intents(store);
    private readonly DocumentCollection<MachineAssignment> _assignments = RunningRecords.Assignments(store);
    private readonly DocumentCollection<MachineStatus> _statuses = RunningRecords.Statuses(store);
    private readonly DocumentCollection<NodeStatus> _nodes = RunningRecords.Nodes(store);
    private readonly DocumentCollection<TaskOrder> _tasks = TaskRecords.Orders(store);
    private readonly DocumentCollection<TaskState> _taskStates = TaskRecords.States(store);
    private readonly ChangeSignal _replaced = new();
    private volatile ClusterView _view = ClusterView.Empty;

    public ClusterView View => _view;

    /// <summary>Reads all, and then follows until it is cancelled or the store fails.</summary>
    /// <exception cref="DocumentUnreadableException">A document is broken: nothing is decided without it.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Publish(await ReadAsync(cancellationToken).ConfigureAwait(false));
            await foreach (var item in store.WatchAsync("", View.Revision + 1, cancellationToken).ConfigureAwait(false))
            {
                if (item is not StateWatchItem.Changed changed)
                    break;
                Publish(Apply(View, changed));
            }
        }
    }

    /// <summary>The first view, from now on, for which a condition holds.</summary>
    public async Task<ClusterView> WaitAsync(Func<ClusterView, bool> until, CancellationToken cancellationToken)
    {
        while (true)
        {
            var replaced = _replaced.Next;
            var view = _view;
            if (until(view))
                return view;
            await replaced.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>As the other, but null when no view was so within the patience.</summary>
    public async Task<ClusterView?> WaitAsync(
        Func<ClusterView, bool> until, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await WaitAsync(until, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private void Publish(ClusterView view)
    {
        _view = view;
        _replaced.Raise();
    }

    private async Task<ClusterView> ReadAsync(CancellationToken cancellationToken)
    {
        // What changes between two of these reads comes again with the watch from the first one's revision on.
        var machines = await _machines.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        var intents = await _intents.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        var assignments = await _assignments.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        var statuses = await _statuses.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        var nodes = await _nodes.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        var tasks = await _tasks.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        var taskStates = await _taskStates.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        return new ClusterView
        {
            Revision = machines.Revision,
            Machines = ByNumber(machines.All),
            Names = machines.All.Values.ToImmutableDictionary(
                machine => machine.Value.Spec.Name, machine => machine.Value.Number, StringComparer.Ordinal),
            Intents = ByNumber(intents.All),
            Assignments = ByNumber(assignments.All),
            Statuses = ByNumber(statuses.All),
            Nodes = nodes.All,
            Tasks = tasks.All,
            TaskStates = taskStates.All,
        };
    }

    private static ImmutableSortedDictionary<MachineNumber, Document<T>> ByNumber<T>(
        ImmutableSortedDictionary<string, Document<T>> all) =>
        all.ToImmutableSortedDictionary(one => RunningRecords.Number(one.Key), one => one.Value);

    private ClusterView Apply(ClusterView view, StateWatchItem.Changed changed)
    {
        foreach (var change in changed.Changes)
        {
            if (change.Key.StartsWith(_machines.Prefix, StringComparison.Ordinal))
                view = ApplyMachine(view, change, changed.Revision);
            else if (change.Key.StartsWith(_intents.Prefix, StringComparison.Ordinal))
                view = view with
                {
                    Intents = Apply(view.Intents, _intents, RunningRecords.Number, change, changed.Revision),
                };
            else if (change.Key.StartsWith(_assignments.Prefix, StringComparison.Ordinal))
                view = view with
                {
                    Assignments = Apply(
                        view.Assignments, _assignments, RunningRecords.Number, change, changed.Revision),
                };
            else if (change.Key.StartsWith(_statuses.Prefix, StringComparison.Ordinal))
                view = view with
                {
                    Statuses = Apply(view.Statuses, _statuses, RunningRecords.Number, change, changed.Revision),
                };
            else if (change.Key.StartsWith(_nodes.Prefix, StringComparison.Ordinal))
                view = view with { Nodes = Apply(view.Nodes, _nodes, id => id, change, changed.Revision) };
            else if (change.Key.StartsWith(_tasks.Prefix, StringComparison.Ordinal))
                view = view with { Tasks = Apply(view.Tasks, _tasks, id => id, change, changed.Revision) };
            else if (change.Key.StartsWith(_taskStates.Prefix, StringComparison.Ordinal))
                view = view with
                {
                    TaskStates = Apply(view.TaskStates, _taskStates, id => id, change, changed.Revision),
                };
        }

        return view with { Revision = changed.Revision };
    }

    private ClusterView ApplyMachine(ClusterView view, StateChange change, long revision)
    {
        var number = RunningRecords.Number(change.Key[_machines.Prefix.Length..]);
        var names = view.Names;
        var oldName = view.Machines.GetValueOrDefault(number)?.Value.Spec.Name;
        if (oldName is not null && names.GetValueOrDefault(oldName) == number)
            names = names.Remove(oldName);
        var machines = Apply(view.Machines, _machines, RunningRecords.Number, change, revision);
        if (machines.TryGetValue(number, out var after))
            names = names.SetItem(after.Value.Spec.Name, number);
        return view with { Machines = machines, Names = names };
    }

    private static ImmutableSortedDictionary<TKey, Document<T>> Apply<TKey, T>(
        ImmutableSortedDictionary<TKey, Document<T>> all, DocumentCollection<T> collection, Func<string, TKey> keyOf,
        StateChange change, long revision)
        where TKey : notnull
        where T : notnull
    {
        var key = keyOf(change.Key[collection.Prefix.Length..]);
        // What was read after the watch's first revision is newer than some of what the watch brings.
        if (all.GetValueOrDefault(key)?.Revision > revision)
            return all;
        return change.Entry is { } entry ? all.SetItem(key, collection.Read(entry)) : all.Remove(key);
    }
}
