using System.Globalization;
using Gantry.Steps.Jobs;
using Gantry.Steps.Journals;

namespace Gantry.Steps.Drill;

/// <summary>What goes wrong.</summary>
internal enum DrillAction
{
    Nothing,
    Fail,
    Crash,
    Cancel,
    Repeat,
}

/// <summary>A place in a job. A report is a place inside a step: the drill finds those by itself.</summary>
internal sealed record DrillPlace(int Step, string Moment)
{
    public const string BeforeDo = "before-do";
    public const string AfterDo = "after-do";
    public const string BeforeUndo = "before-undo";
    public const string AfterUndo = "after-undo";

    public static string DuringDo(int report) => "during-do-" + report.ToString(CultureInfo.InvariantCulture);

    public static string DuringUndo(int report) => "during-undo-" + report.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A failure that the drill made.</summary>
internal sealed class DrillFaultException(string place) : Exception($"The drill made this fail ({place}).");

/// <summary>One process of a scenario: at which places what happens, and which places it came to.</summary>
internal sealed class DrillScript(MemoryJournalHome home) : IJobProgress
{
    private readonly Dictionary<DrillPlace, DrillAction> _actions = [];
    private int _step;
    private int _reports;
    private bool _undoing;

    public CancellationTokenSource Cancel { get; } = new();

    /// <summary>The process was killed: nothing of it may happen any more.</summary>
    public bool Dead { get; private set; }

    /// <summary>All places that were come to, in their order.</summary>
    public List<DrillPlace> Visited { get; } = [];

    public DrillScript On(DrillPlace place, DrillAction action)
    {
        _actions[place] = action;
        return this;
    }

    public bool Repeats(int step, bool undoing) => _actions.GetValueOrDefault(
        new DrillPlace(step, undoing ? DrillPlace.AfterUndo : DrillPlace.AfterDo)) == DrillAction.Repeat;

    public void Enter(int step, bool undoing)
    {
        (_step, _undoing, _reports) = (step, undoing, 0);
        At(new DrillPlace(step, undoing ? DrillPlace.BeforeUndo : DrillPlace.BeforeDo));
    }

    public void Leave(int step, bool undoing) =>
        At(new DrillPlace(step, undoing ? DrillPlace.AfterUndo : DrillPlace.AfterDo));

    public void Report(JobProgress progress)
    {
        if (progress.Event != StepEvent.Reported)
            return;
        _reports++;
        At(new DrillPlace(_step, _undoing ? DrillPlace.DuringUndo(_reports) : DrillPlace.DuringDo(_reports)));
    }

    /// <summary>Kills the process.</summary>
    public void Die()
    {
        Dead = true;
        home.Crash();
    }

    private void At(DrillPlace place)
    {
        if (Dead)
            throw new DrillFaultException("dead");
        Visited.Add(place);
        // Once each: what failed may go well the next time.
        if (!_actions.Remove(place, out var action))
            return;
        switch (action)
        {
            case DrillAction.Fail:
                throw new DrillFaultException(place.Moment);
            case DrillAction.Crash:
                Die();
                throw new DrillFaultException(place.Moment);
            case DrillAction.Cancel:
                Cancel.Cancel();
                break;
            case DrillAction.Nothing or DrillAction.Repeat:
                break;
            default:
                throw new InvalidOperationException($"Unknown action {action}.");
        }
    }
}

/// <summary>A step that comes to the places of a script.</summary>
internal sealed class DrillStep<TContext>(IJobStep<TContext> inner, int index, DrillScript script) : IJobStep<TContext>
{
    public string Name => inner.Name;

    public async ValueTask<TContext> DoAsync(TContext context, StepRun run, CancellationToken cancellationToken)
    {
        bool twice = script.Repeats(index, undoing: false);
        script.Enter(index, undoing: false);
        var next = await inner.DoAsync(context, run, cancellationToken).ConfigureAwait(false);
        if (twice)
            next = await inner.DoAsync(context, run, cancellationToken).ConfigureAwait(false);
        script.Leave(index, undoing: false);
        return next;
    }

    public async ValueTask UndoAsync(TContext context, StepRun run, CancellationToken cancellationToken)
    {
        bool twice = script.Repeats(index, undoing: true);
        script.Enter(index, undoing: true);
        await inner.UndoAsync(context, run, cancellationToken).ConfigureAwait(false);
        if (twice)
            await inner.UndoAsync(context, run, cancellationToken).ConfigureAwait(false);
        script.Leave(index, undoing: true);
    }
}
