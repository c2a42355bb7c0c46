using Gantry.Engines;
using Gantry.Machines.Catalog;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;

namespace Gantry.Agent.Assignments;

/// <summary>
/// Makes one machine as its assignment says and tells what it sees of it, for as long as the machine is recorded. It
/// takes no input but the store and the machine itself, so that after a crash it goes on from what it finds.
/// </summary>
internal sealed class MachineKeeper(
    AgentNode node, MachineNumber number, Guid uuid, MachineHost host, MachineCatalog machines, IStateStore store,
    TimeProvider time, Func<MachineNumber, CancellationToken, Task> onStarted) : IDisposable
{
    private readonly DocumentCollection<MachineAssignment> _assignments = RunningRecords.Assignments(store);
    private readonly StatusWriter _status = new(store, number, uuid);
    private readonly Wakeup _wakeup = new();
    private readonly TaskCompletionSource _looked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile MachineAssignment? _assignment;
    private CancellationTokenSource _superseded = new();
    private RunWatch? _watch;

    /// <summary>The UUID of the machine that it keeps.</summary>
    public Guid Machine => uuid;

    /// <summary>Completes when the machine's status no longer tells of a run that has ended meanwhile.</summary>
    public Task Looked => _looked.Task;

    /// <summary>Whether the last look found it running.</summary>
    public bool Running { get; private set; }

    /// <summary>Tells it of its newest assignment; null when it has none.</summary>
    public void Assign(MachineAssignment? assignment)
    {
        if (assignment == _assignment)
            return;
        _assignment = assignment;
        using (var before = Interlocked.Exchange(ref _superseded, new CancellationTokenSource()))
            before.Cancel();
        _wakeup.Ring();
    }

    public void Dispose() => _superseded.Dispose();

    /// <summary>Has it look at the machine again: somebody else may have started it.</summary>
    public void Look() => _wakeup.Ring();

    /// <summary>
    /// Runs until it is cancelled or the machine is gone. Whatever goes wrong on the way is written into the machine's
    /// status.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _status.ReadAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var assignment = _assignment;
                if (_watch is { } watch && (watch.End.IsCompleted || !host.IsAlive(number)))
                    await EndedAsync(assignment, await watch.End.ConfigureAwait(false), cancellationToken)
                        .ConfigureAwait(false);
                else if (assignment is not null && IsOpen(assignment))
                    await SettleAsync(assignment, cancellationToken).ConfigureAwait(false);
                else if (host.IsAlive(number))
                    await KeepRunningAsync(cancellationToken).ConfigureAwait(false);
                else
                    await KeepStoppedAsync(assignment, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (MachineGoneException)
        {
            // Whoever deleted it has ended it.
        }
        finally
        {
            _looked.TrySetResult();
            await ForgetRunAsync().ConfigureAwait(false);
        }
    }

    private MachineStatus Status => _status.Last is { } last && last.Machine == uuid
        ? last
        : new MachineStatus
        {
            Number = number,
            Machine = uuid,
            Node = node.Name,
            Epoch = 0,
            Settled = 0,
            Phase = MachinePhase.Stopped,
            Since = time.GetUtcNow(),
        };

    private bool IsOpen(MachineAssignment assignment) =>
        assignment.Epoch > Status.Epoch || assignment.Intent.Sequence > Status.Settled;

    private async Task SettleAsync(MachineAssignment assignment, CancellationToken cancellationToken)
    {
        // As long as it is not settled, nobody takes its status for the outcome.
        _looked.TrySetResult();
        var superseded = _superseded.Token;
        if (_assignment != assignment)
            return;
        var intent = assignment.Intent;
        try
        {
            // The store decides, not what was heard of it some time ago.
            var current = await _assignments.GetAsync(RunningRecords.Id(number), cancellationToken)
                .ConfigureAwait(false);
            if (current is null || current.Value.Epoch != assignment.Epoch)
            {
                // The news is on its way here.
                await _wakeup.WaitAsync(cancellationToken).ConfigureAwait(false);
                return;
            }

            var alive = host.IsAlive(number);
            if (alive && (intent.Wanted == PowerState.Stopped || (intent.Anew && Epoch() < assignment.Epoch)))
            {
                await EndAsync(assignment, superseded, cancellationToken).ConfigureAwait(false);
                alive = false;
            }

            if (!alive && intent.Wanted == PowerState.Running)
                await StartAsync(assignment, restarts: 0, cancellationToken).ConfigureAwait(false);
            await SeeAsync(Settled(assignment) with { Problem = null }, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
            when (superseded.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // A newer intent goes on from here.
        }
        catch (ProblemException e)
        {
            var failed = Settled(assignment) with { Problem = e.Problem };
            if (intent.Wanted == PowerState.Running)
            {
                failed = RestartRule.AfterFailure(
                    await PolicyAsync(cancellationToken).ConfigureAwait(false), failed, time.GetUtcNow());
            }

            await SeeAsync(failed, cancellationToken).ConfigureAwait(false);
        }
    }

    private MachineStatus Settled(MachineAssignment assignment) => Status with
    {
        Epoch = assignment.Epoch,
        Settled = assignment.Intent.Sequence,
        Restarts = 0,
        NextRestart = null,
    };

    private long Epoch() => host.Runtime(number)?.Epoch ?? 0;

    private async Task StartAsync(MachineAssignment assignment, int restarts, CancellationToken cancellationToken)
    {
        await WriteAsync(
            Status with
            {
                Epoch = assignment.Epoch,
                Phase = MachinePhase.Starting,
                Restarts = restarts,
                NextRestart = null,
            },
            cancellationToken).ConfigureAwait(false);
        try
        {
            var guest = await host.StartAsync(
                number, new StartOptions { Epoch = assignment.Epoch }, NoProgress.Instance, cancellationToken)
                .ConfigureAwait(false);
            await guest.DisposeAsync().ConfigureAwait(false);
            // Whoever reads that it runs may end it at once, and is to read why it ended.
            await WatchAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ProblemException) when (host.IsAlive(number))
        {
            // A rollback came first, and has started it: that is what is wanted.
            return;
        }

        await onStarted(number, cancellationToken).ConfigureAwait(false);
    }

    private async Task EndAsync(
        MachineAssignment assignment, CancellationToken superseded, CancellationToken cancellationToken)
    {
        await WriteAsync(
            Status with { Epoch = assignment.Epoch, Phase = MachinePhase.Stopping, NextRestart = null },
            cancellationToken).ConfigureAwait(false);
        var machine = await machines.FindAsync(number, cancellationToken).ConfigureAwait(false)
            ?? throw new ProblemException(ProblemKind.NotFound, $"machine {number} is gone");
        using var either = CancellationTokenSource.CreateLinkedTokenSource(superseded, cancellationToken);
        if (assignment.Intent.Manner == StopManner.Kill)
            await host.StopAsync(machine, cancellationToken).ConfigureAwait(false);
        else
            await host.ShutdownAsync(machine, TimeSpan.FromSeconds(assignment.Intent.PatienceSeconds), either.Token)
                .ConfigureAwait(false);
        await ForgetRunAsync().ConfigureAwait(false);
        await WriteAsync(
            Status with
            {
                Phase = MachinePhase.Stopped,
                LastExit = new MachineExit { At = time.GetUtcNow(), Reason = "requested", Orderly = true },
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Tells how it runs, and waits until it ends, is paused or goes on, or is assigned anew.</summary>
    private async Task KeepRunningAsync(CancellationToken cancellationToken)
    {
        _looked.TrySetResult();
        var watch = await WatchAsync(cancellationToken).ConfigureAwait(false);
        await SeeAsync(Status, cancellationToken).ConfigureAwait(false);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var news = _wakeup.WaitAsync(done.Token);
        await Task.WhenAny(watch.End, news).ConfigureAwait(false);
        await done.CancelAsync().ConfigureAwait(false);
        await news.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<RunWatch> WatchAsync(CancellationToken cancellationToken) =>
        _watch ??= await host.WatchAsync(number, uuid, _wakeup.Ring, cancellationToken).ConfigureAwait(false);

    private async Task ForgetRunAsync()
    {
        if (Interlocked.Exchange(ref _watch, null) is { } watch)
            await watch.DisposeAsync().ConfigureAwait(false);
    }

    private async Task KeepStoppedAsync(MachineAssignment? assignment, CancellationToken cancellationToken)
    {
        Running = false;
        if (_status.Last is { Phase: not MachinePhase.Stopped } status && status.Machine == uuid)
        {
            // It ended while nobody was looking.
            var reason = status.Boot == node.Boot || status.Boot == default ? "unknown" : RestartRule.HostDown;
            await EndedAsync(assignment, new GuestExit(reason), cancellationToken).ConfigureAwait(false);
        }
        else if (Status.NextRestart is not null && Status.Boot != node.Boot)
        {
            // What starts with its host is said elsewhere.
            await WriteAsync(Status with { NextRestart = null }, cancellationToken).ConfigureAwait(false);
        }

        _looked.TrySetResult();

        if (Status.NextRestart is not { } next || assignment is not { Intent.Wanted: PowerState.Running })
        {
            await _wakeup.WaitAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var now = time.GetUtcNow();
        var due = Task.Delay(next > now ? next - now : TimeSpan.Zero, time, limit.Token);
        var news = _wakeup.WaitAsync(limit.Token);
        var first = await Task.WhenAny(due, news).ConfigureAwait(false);
        await limit.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(due, news).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (first == due && _assignment == assignment)
            await RestartAsync(assignment, cancellationToken).ConfigureAwait(false);
    }

    private async Task RestartAsync(MachineAssignment assignment, CancellationToken cancellationToken)
    {
        var restarts = Status.Restarts + 1;
        try
        {
            if (!host.IsAlive(number))
                await StartAsync(assignment, restarts, cancellationToken).ConfigureAwait(false);
            await SeeAsync(Status with { Restarts = restarts, NextRestart = null, Problem = null }, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (ProblemException e)
        {
            var failed = Status with { Phase = MachinePhase.Stopped, Restarts = restarts, Problem = e.Problem };
            var policy = await PolicyAsync(cancellationToken).ConfigureAwait(false);
            await WriteAsync(RestartRule.AfterFailure(policy, failed, time.GetUtcNow()), cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private async Task EndedAsync(MachineAssignment? assignment, GuestExit exit, CancellationToken cancellationToken)
    {
        Running = false;
        await ForgetRunAsync().ConfigureAwait(false);
        var policy = assignment is { Intent.Wanted: PowerState.Running }
            ? await PolicyAsync(cancellationToken).ConfigureAwait(false) : new RestartSpec();
        var ended = new MachineExit { At = time.GetUtcNow(), Reason = exit.Reason, Orderly = exit.Orderly };
        await WriteAsync(RestartRule.After(policy, Status, ended), cancellationToken).ConfigureAwait(false);
    }

    private async Task<RestartSpec> PolicyAsync(CancellationToken cancellationToken) =>
        (await machines.FindAsync(number, cancellationToken).ConfigureAwait(false))?.Spec.Restart ?? new RestartSpec();

    /// <summary>Completes a status by what can be seen of the machine now, and writes it.</summary>
    private async Task SeeAsync(MachineStatus status, CancellationToken cancellationToken)
    {
        MachinePhase phase;
        try
        {
            phase = (_watch is { } watch ? await watch.PhaseAsync(cancellationToken).ConfigureAwait(false) : null)
                ?? await host.PhaseAsync(number, uuid, cancellationToken).ConfigureAwait(false);
        }
        catch (ProblemException)
        {
            // It lives, and others keep its monitors busy; or it has just ended, which the watch tells.
            phase = _watch is not null || host.IsAlive(number) ? MachinePhase.Running : MachinePhase.Stopped;
        }

        var runtime = host.Runtime(number);
        Running = runtime is not null || phase != MachinePhase.Stopped;
        await WriteAsync(
            status with
            {
                Phase = phase,
                Started = runtime?.Started,
                Ports = runtime?.Ports ?? [],
                Accelerator = runtime?.Accelerator,
            },
            cancellationToken).ConfigureAwait(false);
    }

    private Task WriteAsync(MachineStatus status, CancellationToken cancellationToken)
    {
        var since = _status.Last?.Phase == status.Phase ? status.Since : time.GetUtcNow();
        return _status.WriteAsync(status with { Since = since, Boot = node.Boot }, cancellationToken);
    }
}
