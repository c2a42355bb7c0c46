using System.Collections.Immutable;
using System.Text.Json;

namespace Gantry.Steps.Journals;

/// <summary>How far a step is, by what its journal says.</summary>
internal enum StepPhase
{
    /// <summary>Never begun.</summary>
    Pending,

    /// <summary>Begun, and not known to have ended.</summary>
    InDoubt,

    /// <summary>Ended.</summary>
    Done,

    /// <summary>Undoing has begun.</summary>
    Undoing,

    /// <summary>Undone.</summary>
    Undone,
}

/// <summary>What the lines of a journal come to.</summary>
internal sealed class JobState
{
    private readonly StepPhase[] _phases;
    private readonly bool[] _ended;

    private JobState(JournalRecord.Begun begun)
    {
        Begun = begun;
        Context = begun.Context;
        _phases = new StepPhase[begun.Steps.Length];
        _ended = new bool[begun.Steps.Length];
    }

    public JournalRecord.Begun Begun { get; }

    public JsonElement Context { get; private set; }

    public JournalRecord.Turned? Turned { get; private set; }

    public JournalRecord.Finished? Finished { get; private set; }

    /// <exception cref="JournalException">The lines cannot be those of a job.</exception>
    public static JobState Of(IReadOnlyList<JournalRecord> records)
    {
        if (records.Count == 0 || records[0] is not JournalRecord.Begun begun || begun.Format != 1)
            throw new JournalException("A journal begins with a line 'begun' of format 1; this one does not.");
        var state = new JobState(begun);
        foreach (var record in records.Skip(1))
            state.Apply(record);
        return state;
    }

    public StepPhase Phase(int step) => _phases[step];

    /// <summary>The step is known to have ended, whether or not undoing has begun since.</summary>
    public bool Ended(int step) => _ended[step];

    public bool AllDone => _phases.All(phase => phase == StepPhase.Done);

    public bool NeedsUndo(int step) => _phases[step] is not (StepPhase.Pending or StepPhase.Undone);

    public void Apply(JournalRecord record)
    {
        switch (record)
        {
            case JournalRecord.Begun:
                throw new JournalException("A journal has one line 'begun'; this one has two.");
            case JournalRecord.Adopted or JournalRecord.Failed or JournalRecord.UndoFailed:
                break;
            case JournalRecord.Doing doing:
                Set(doing.Step, StepPhase.InDoubt);
                break;
            case JournalRecord.Done done:
                Set(done.Step, StepPhase.Done);
                _ended[done.Step] = true;
                Context = done.Context ?? Context;
                break;
            case JournalRecord.Turned turned:
                Turned = turned;
                break;
            case JournalRecord.Undoing undoing:
                Set(undoing.Step, StepPhase.Undoing);
                break;
            case JournalRecord.Undone undone:
                Set(undone.Step, StepPhase.Undone);
                break;
            case JournalRecord.Finished finished:
                Finished = finished;
                break;
            default:
                throw new InvalidOperationException($"Unknown line {record}.");
        }
    }

    /// <summary>The fewest lines that come to the same.</summary>
    public ImmutableArray<JournalRecord> Shortest(DateTimeOffset now)
    {
        var lines = ImmutableArray.CreateBuilder<JournalRecord>();
        lines.Add(Begun with { Context = Context });
        for (int i = 0; i < _phases.Length; i++)
        {
            if (_phases[i] is StepPhase.Pending)
                continue;
            lines.Add(_ended[i]
                ? new JournalRecord.Done(i) { At = now }
                : new JournalRecord.Doing(i) { At = now });
            if (_phases[i] is StepPhase.Undoing)
                lines.Add(new JournalRecord.Undoing(i) { At = now });
            if (_phases[i] is StepPhase.Undone)
                lines.Add(new JournalRecord.Undone(i) { At = now });
        }

        if (Turned is not null)
            lines.Add(Turned);
        if (Finished is not null)
            lines.Add(Finished);
        return lines.ToImmutable();
    }

    private void Set(int step, StepPhase phase)
    {
        if (step < 0 || step >= _phases.Length)
            throw new JournalException($"The job has {_phases.Length} steps; a line speaks of step {step}.");
        _phases[step] = phase;
    }
}
