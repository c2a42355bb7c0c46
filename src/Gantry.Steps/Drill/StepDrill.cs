using System.Collections.Immutable;
using Gantry.Steps.Jobs;
using Gantry.Steps.Journals;
using Gantry.Steps.Recovery;

namespace Gantry.Steps.Drill;

/// <summary>
/// Tests a job's steps: runs the job in a fresh world again and again, with each step failing, repeated, cancelled and
/// killed, before, after and during it, forward and back, with recovery by both policies; and looks at the world after
/// each. To be used by the tests of every job.
/// </summary>
/// <remarks>
/// The places during a step are its reports of progress: a step that reports between two changes is tested between
/// them. A kill is played by an exception, so catch and finally blocks of the step still run; only a test with a
/// process of its own shows what happens without them.
/// </remarks>
/// <typeparam name="TContext">The job's context.</typeparam>
public sealed class StepDrill<TContext>
    where TContext : notnull
{
    /// <summary>How many reports of a step are used as places; bounds the number of scenarios.</summary>
    public const int MaxReports = 8;

    private readonly Func<ValueTask<DrillWorld<TContext>>> _newWorld;
    private readonly List<string> _scenarios = [];

    /// <param name="newWorld">Makes a fresh world for a scenario.</param>
    public StepDrill(Func<ValueTask<DrillWorld<TContext>>> newWorld) => _newWorld = newWorld;

    /// <summary>Plays all scenarios.</summary>
    /// <returns>Their names, in the order in which they were played.</returns>
    /// <exception cref="DrillFailedException">One of them did not end as it should have.</exception>
    public async Task<ImmutableArray<string>> RunAsync(CancellationToken cancellationToken)
    {
        _scenarios.Clear();
        var plain = await PlainAsync(cancellationToken).ConfigureAwait(false);
        var forward = plain.Visited;
        foreach (var place in forward)
        {
            await FailAsync(plain, place, cancellationToken).ConfigureAwait(false);
            await CancelAsync(plain, place, cancellationToken).ConfigureAwait(false);
            await CrashAsync(plain, place, CrashPolicy.Undo, cancellationToken).ConfigureAwait(false);
            await CrashAsync(plain, place, CrashPolicy.Resume, cancellationToken).ConfigureAwait(false);
            if (place.Moment == DrillPlace.AfterDo)
                await RepeatAsync(plain, place, cancellationToken).ConfigureAwait(false);
        }

        for (int line = 1; line < plain.Lines; line++)
        {
            await CrashAtLineAsync(plain, line, CrashPolicy.Undo, cancellationToken).ConfigureAwait(false);
            await CrashAtLineAsync(plain, line, CrashPolicy.Resume, cancellationToken).ConfigureAwait(false);
        }

        var back = await BackAsync(plain, [], cancellationToken).ConfigureAwait(false);
        foreach (var place in back)
        {
            await BackAsync(plain, [(place, DrillAction.Fail)], cancellationToken).ConfigureAwait(false);
            await BackAsync(plain, [(place, DrillAction.Crash)], cancellationToken).ConfigureAwait(false);
            if (place.Moment == DrillPlace.AfterUndo)
                await BackAsync(plain, [(place, DrillAction.Repeat)], cancellationToken).ConfigureAwait(false);
        }

        return [.. _scenarios];
    }

    private async Task<Plain> PlainAsync(CancellationToken cancellationToken)
    {
        int lines = 0;
        int last = 0;
        ImmutableArray<string> names = [];
        var visited = await PlayAsync("plain", async scene =>
        {
            scene.Home.BeforeAppend = _ => lines++;
            names = scene.World.NewKind().StepNames;
            last = Math.Min(scene.World.NewKind().NoReturnIndex, names.Length - 1);
            var script = scene.Script();
            await scene.RunAsync(script, CrashPolicy.Undo, cancellationToken).ConfigureAwait(false);
            await scene.World.AssertDone().ConfigureAwait(false);
            return script;
        }).ConfigureAwait(false);
        return new Plain(visited, lines, names, last);
    }

    private Task<List<DrillPlace>> FailAsync(Plain plain, DrillPlace place, CancellationToken cancellationToken) =>
        PlayAsync($"fail at {plain.Text(place)}", async scene =>
        {
            var script = scene.Script().On(place, DrillAction.Fail);
            var error = await scene.TroubleAsync(script, CrashPolicy.Undo, cancellationToken).ConfigureAwait(false);
            if (error is not StepFailedException failed)
                throw new InvalidOperationException($"Expected a StepFailedException, found {Show(error)}", error);
            if (!failed.Damage.NotUndone.IsEmpty)
                throw new InvalidOperationException(failed.Message, error);
            await scene.SettleAsync(CrashPolicy.Undo, plain.IsOneWay(place), cancellationToken).ConfigureAwait(false);
            return script;
        });

    private Task<List<DrillPlace>> CancelAsync(Plain plain, DrillPlace place, CancellationToken cancellationToken) =>
        PlayAsync($"cancel at {plain.Text(place)}", async scene =>
        {
            var script = scene.Script().On(place, DrillAction.Cancel);
            var error = await scene.TroubleAsync(script, CrashPolicy.Undo, cancellationToken).ConfigureAwait(false);
            // The last steps may have been quicker; then the job is done.
            bool done = error switch
            {
                null => true,
                JobCanceledException canceled when canceled.Damage.NotUndone.IsEmpty => canceled.Damage.WillContinue,
                StepFailedException failed when failed.Damage.NotUndone.IsEmpty => failed.Damage.WillContinue,
                _ => throw new InvalidOperationException(
                    $"Expected a JobCanceledException, found {Show(error)}", error),
            };
            await scene.SettleAsync(CrashPolicy.Undo, done, cancellationToken).ConfigureAwait(false);
            return script;
        });

    private Task<List<DrillPlace>> CrashAsync(
        Plain plain, DrillPlace place, CrashPolicy policy, CancellationToken cancellationToken) =>
        PlayAsync($"crash at {plain.Text(place)}, {policy}", async scene =>
        {
            var script = scene.Script().On(place, DrillAction.Crash);
            await scene.TroubleAsync(script, policy, cancellationToken).ConfigureAwait(false);
            bool done = policy == CrashPolicy.Resume || plain.IsOneWay(place);
            await scene.SettleAsync(policy, done, cancellationToken).ConfigureAwait(false);
            return script;
        });

    // Line 0 begins the journal; lines 2i + 1 and 2i + 2 are those before and after step i, and one more is the last.
    private Task<List<DrillPlace>> CrashAtLineAsync(
        Plain plain, int line, CrashPolicy policy, CancellationToken cancellationToken) =>
        PlayAsync($"crash before line {line + 1} of the journal, {policy}", async scene =>
        {
            var script = scene.Script();
            int seen = 0;
            scene.Home.BeforeAppend = _ =>
            {
                if (seen++ == line)
                    script.Die();
            };
            await scene.TroubleAsync(script, policy, cancellationToken).ConfigureAwait(false);
            int ended = (line - 1) / 2;
            bool done = policy == CrashPolicy.Resume || ended > plain.Last;
            await scene.SettleAsync(policy, done, cancellationToken).ConfigureAwait(false);
            return script;
        });

    private async Task RepeatAsync(Plain plain, DrillPlace place, CancellationToken cancellationToken)
    {
        await PlayAsync($"repeat {plain.Names[place.Step]}", async scene =>
        {
            var script = scene.Script().On(place, DrillAction.Repeat);
            await scene.RunAsync(script, CrashPolicy.Undo, cancellationToken).ConfigureAwait(false);
            await scene.SettleAsync(CrashPolicy.Undo, true, cancellationToken).ConfigureAwait(false);
            return script;
        }).ConfigureAwait(false);
    }

    // Fails at the end of the last step that can be undone, with more trouble on the way back.
    private Task<List<DrillPlace>> BackAsync(
        Plain plain,
        ImmutableArray<(DrillPlace Place, DrillAction Action)> actions,
        CancellationToken cancellationToken)
    {
        string also = string.Concat(actions.Select(each => $", {each.Action} at {plain.Text(each.Place)}"));
        return PlayAsync($"fail after {plain.Names[plain.Last]}{also}".ToLowerInvariant(), async scene =>
        {
            var script = scene.Script().On(new DrillPlace(plain.Last, DrillPlace.AfterDo), DrillAction.Fail);
            foreach (var (place, action) in actions)
                script.On(place, action);
            var error = await scene.TroubleAsync(script, CrashPolicy.Resume, cancellationToken).ConfigureAwait(false);
            if (actions.Any(each => each.Action == DrillAction.Fail)
                && error is not StepFailedException { Damage.NotUndone.IsEmpty: false })
            {
                throw new InvalidOperationException($"Expected what could not be undone, found {Show(error)}", error);
            }

            await scene.SettleAsync(CrashPolicy.Resume, done: false, cancellationToken).ConfigureAwait(false);
            return script;
        }, visited => [.. visited.Where(place => place.Moment.Contains("undo", StringComparison.Ordinal))]);
    }

    private async Task<List<DrillPlace>> PlayAsync(
        string name, Func<Scene, Task<DrillScript>> play, Func<List<DrillPlace>, List<DrillPlace>>? choose = null)
    {
        _scenarios.Add(name);
        var world = await _newWorld().ConfigureAwait(false);
        try
        {
            var script = await play(new Scene(world)).ConfigureAwait(false);
            var visited = choose is null ? script.Visited : choose(script.Visited);
            visited.RemoveAll(place => place.Moment.LastIndexOf('-') is var dash
                && int.TryParse(place.Moment.AsSpan(dash + 1), out int report) && report > MaxReports);
            return visited;
        }
        catch (Exception e)
        {
            throw new DrillFailedException(name, e);
        }
        finally
        {
            await world.CleanUp().ConfigureAwait(false);
        }
    }

    private static string Show(Exception? error) =>
        error is null ? "none." : $"{error.GetType().Name}: {error.Message}";

    /// <summary>What the run without trouble showed.</summary>
    private sealed record Plain(List<DrillPlace> Visited, int Lines, ImmutableArray<string> Names, int Last)
    {
        /// <summary>The place is beyond the point of no return.</summary>
        public bool IsOneWay(DrillPlace place) => place.Step > Last;

        public string Text(DrillPlace place) => $"{place.Moment} of {Names[place.Step]}";
    }

    private sealed class Scene(DrillWorld<TContext> world)
    {
        public DrillWorld<TContext> World => world;

        public MemoryJournalHome Home { get; } = new();

        public DrillScript Script() => new(Home);

        public Task<TContext> RunAsync(DrillScript script, CrashPolicy policy, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new JobRunner(Home, TimeProvider.System)
                .RunAsync(Kind(script, policy), world.Context, script, script.Cancel.Token);
        }

        public async Task<Exception?> TroubleAsync(
            DrillScript script, CrashPolicy policy, CancellationToken cancellationToken)
        {
            try
            {
                await RunAsync(script, policy, cancellationToken).ConfigureAwait(false);
                return null;
            }
            catch (Exception e) when (e is StepFailedException or JobCanceledException or JournalException)
            {
                return e;
            }
        }

        /// <summary>Lets recovery do what is left to do, and looks at the world.</summary>
        public async Task SettleAsync(CrashPolicy policy, bool done, CancellationToken cancellationToken)
        {
            Home.BeforeAppend = null;
            var recovery = new JobRecovery(
                Home, new JobKindRegistry(Kind(Script(), policy)), TimeProvider.System);
            var jobs = await recovery.RecoverAsync(NoProgress.Instance, cancellationToken).ConfigureAwait(false);
            var left = await Home.ListAsync(cancellationToken).ConfigureAwait(false);
            if (!left.IsEmpty)
            {
                throw new InvalidOperationException(
                    $"Recovery left the job: {string.Join(", ", jobs.Select(job => $"{job.Outcome} ({job.Detail})"))}");
            }

            if (done)
                await world.AssertDone().ConfigureAwait(false);
            else
                await world.AssertUndone().ConfigureAwait(false);
        }

        private JobKind<TContext> Kind(DrillScript script, CrashPolicy policy)
        {
            var kind = world.NewKind();
            return new JobKind<TContext>(
                kind.Name,
                kind.Version,
                () => kind.ContextType,
                policy,
                [.. kind.Steps.Select((step, i) => new DrillStep<TContext>(step, i, script))],
                kind.PointOfNoReturn)
            {
                UndoTimeout = kind.UndoTimeout,
            };
        }
    }
}
