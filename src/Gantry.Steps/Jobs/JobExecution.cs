using System.Collections.Immutable;
using System.Text.Json;
using Gantry.Steps.Journals;

namespace Gantry.Steps.Jobs;

/// <summary>One job on its way, forward or back.</summary>
internal sealed class JobExecution<TContext>
    where TContext : notnull
{
    /// <summary>Longest error text in a journal, in characters.</summary>
    private const int MaxErrorText = 1024;

    private readonly JobKind<TContext> _kind;
    private readonly JobDesk _desk;
    private readonly IJournal _journal;
    private readonly JobState _state;
    private TContext _context;
    private bool _recovering;

    public JobExecution(JobKind<TContext> kind, JobDesk desk, IJournal journal, JobState state)
    {
        _kind = kind;
        _desk = desk;
        _journal = journal;
        _state = state;
        _context = ReadContext();
    }

    private DateTimeOffset Now => _desk.Time.GetUtcNow();

    // Once the step of no return is done, the only way is forward.
    private bool CanReturn => _kind.NoReturnIndex == _kind.Steps.Length || !_state.Ended(_kind.NoReturnIndex);

    /// <summary>Does what recovery should: closes, resumes or undoes.</summary>
    /// <param name="stop">Lets go of the job where it is; it says nothing about what should become of it.</param>
    public async Task ContinueAsync(CancellationToken stop)
    {
        _recovering = true;
        if (_state.Finished is null && _state.Turned is null && !_state.AllDone && CanReturn
            && _kind.OnCrash == CrashPolicy.Undo)
        {
            const string reason = "The process that ran the job died.";
            int last = Math.Max(LastBegun(), 0);
            await AppendAsync(new JournalRecord.Turned(last, reason, Cancelled: false) { At = Now })
                .ConfigureAwait(false);
        }

        if (_state.Finished is not null)
            await CloseAsync().ConfigureAwait(false);
        else if (_state.Turned is not null)
            await BackAsync(null, stop).ConfigureAwait(false);
        else
            await ForwardAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Does the steps that are not done; on trouble goes back, and throws.</summary>
    public async Task<TContext> ForwardAsync(CancellationToken cancellationToken)
    {
        for (int i = 0; i < _kind.Steps.Length; i++)
        {
            if (_state.Phase(i) == StepPhase.Done)
                continue;
            var error = await TryDoAsync(i, cancellationToken).ConfigureAwait(false);
            if (error is null)
                continue;

            Report(i, StepEvent.Failed, error.Message);
            bool cancelled = error is OperationCanceledException && cancellationToken.IsCancellationRequested;
            if (cancelled && _recovering)
                throw new OperationCanceledException(error.Message, error, cancellationToken);
            if (!CanReturn)
                await StopAsync(i, error, cancelled, cancellationToken).ConfigureAwait(false);
            await TurnAsync(i, error, cancelled).ConfigureAwait(false);
            await BackAsync(error, cancellationToken).ConfigureAwait(false);
        }

        // The job is over with the last step's line: what follows only tidies up, so its failure changes nothing.
        await FinishAsync(succeeded: true).ConfigureAwait(false);
        return _context;
    }

    private TContext ReadContext()
    {
        try
        {
            return _state.Context.Deserialize(_kind.ContextType)
                ?? throw new JournalException($"The context of the job {_state.Begun.JobId} is null.");
        }
        catch (JsonException e)
        {
            throw new JournalException(
                $"The context of the job {_state.Begun.JobId} is not one of '{_kind.Name}' version {_kind.Version}: "
                + e.Message,
                e);
        }
    }

    private int LastBegun()
    {
        int last = _kind.Steps.Length - 1;
        while (last >= 0 && !_state.NeedsUndo(last))
            last--;
        return last;
    }

    private async Task<Exception?> TryDoAsync(int step, CancellationToken cancellationToken)
    {
        bool repeated = _state.Phase(step) == StepPhase.InDoubt;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            await AppendAsync(new JournalRecord.Doing(step) { At = Now }).ConfigureAwait(false);
            Report(step, StepEvent.Doing);
            var next = await _kind.Steps[step].DoAsync(_context, Run(step, repeated), cancellationToken)
                .ConfigureAwait(false);
            var written = JsonSerializer.SerializeToElement(next, _kind.ContextType);
            bool same = JsonElement.DeepEquals(written, _state.Context);
            await AppendAsync(new JournalRecord.Done(step) { At = Now, Context = same ? null : written })
                .ConfigureAwait(false);
            _context = next;
            Report(step, StepEvent.Done);
            return null;
        }
        catch (Exception e)
        {
            // Whatever a step throws, the way back is the answer.
            return e;
        }
    }

    private async Task StopAsync(int step, Exception error, bool cancelled, CancellationToken cancellationToken)
    {
        // Only for people: recovery goes on with the job whether or not the line is there.
        await TryAppendAsync(new JournalRecord.Failed(step, Clip(error.Message)) { At = Now }).ConfigureAwait(false);
        throw Trouble(Damage(_kind.StepNames[step], [], null) with { WillContinue = true, NotUndone = [] },
            error.Message, cancelled, error, cancellationToken);
    }

    private async Task TurnAsync(int step, Exception error, bool cancelled)
    {
        try
        {
            await AppendAsync(new JournalRecord.Turned(step, Clip(error.Message), cancelled) { At = Now })
                .ConfigureAwait(false);
        }
        catch (JournalException e)
        {
            // Without that line recovery might go forward over steps that we undid: undo nothing.
            throw new JournalException(
                $"The job {_state.Begun.JobId} failed at its step '{_kind.StepNames[step]}' ({error.Message}), and its "
                + $"journal cannot be written ({e.Message}); it stays as it is, and is put right at the next start.",
                new AggregateException(error, e));
        }
    }

    /// <summary>
    /// Undoes in reverse order what was begun. Throws what the job's caller should see, if there is one.
    /// </summary>
    private async Task BackAsync(Exception? cause, CancellationToken cancellationToken)
    {
        var turned = _state.Turned!;
        var undone = ImmutableArray.CreateBuilder<string>();
        string? undoError = null;
        Exception? undoException = null;
        for (int i = _kind.Steps.Length - 1; i >= 0 && undoError is null; i--)
        {
            if (!_state.NeedsUndo(i))
                continue;
            if (_recovering)
                cancellationToken.ThrowIfCancellationRequested();
            undoException = await TryUndoAsync(i).ConfigureAwait(false);
            undoError = undoException?.Message;
            if (undoError is null)
                undone.Add(_kind.StepNames[i]);
        }

        // Steps before one that resists stay: what they made (a name, a reference) may still be in use by it.
        var damage = Damage(_kind.StepNames[turned.Step], undone.ToImmutable(), undoError);
        if (undoError is null)
            await FinishAsync(succeeded: false).ConfigureAwait(false);
        if (cause is not null || undoError is not null)
        {
            throw Trouble(
                damage, cause?.Message ?? turned.Reason, turned.Cancelled, cause ?? undoException, cancellationToken);
        }
    }

    private async Task<Exception?> TryUndoAsync(int step)
    {
        bool repeated = _state.Phase(step) == StepPhase.Undoing;
        using var timeout = new CancellationTokenSource(_kind.UndoTimeout, _desk.Time);
        // With the turn recorded, undoing may be repeated: a line that cannot be written does not keep us from it.
        await TryAppendAsync(new JournalRecord.Undoing(step) { At = Now }).ConfigureAwait(false);
        try
        {
            Report(step, StepEvent.Undoing);
            await _kind.Steps[step].UndoAsync(_context, Run(step, repeated), timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Exception shown = e is OperationCanceledException && timeout.IsCancellationRequested
                ? new TimeoutException($"It took longer than {_kind.UndoTimeout}.", e)
                : e;
            await TryAppendAsync(new JournalRecord.UndoFailed(step, Clip(shown.Message)) { At = Now })
                .ConfigureAwait(false);
            Report(step, StepEvent.UndoFailed, shown.Message);
            return shown;
        }

        await TryAppendAsync(new JournalRecord.Undone(step) { At = Now }).ConfigureAwait(false);
        Report(step, StepEvent.Undone);
        return null;
    }

    private JobDamage Damage(string step, ImmutableArray<string> undone, string? undoError)
    {
        var left = Enumerable.Range(0, _kind.Steps.Length).Reverse()
            .Where(i => _state.NeedsUndo(i) && !undone.Contains(_kind.StepNames[i]))
            .Select(i => _kind.StepNames[i]);
        return new JobDamage
        {
            JobId = _state.Begun.JobId,
            Kind = _kind.Name,
            Step = step,
            Undone = undone,
            NotUndone = [.. left],
            UndoError = undoError,
        };
    }

    private static Exception Trouble(
        JobDamage damage, string reason, bool cancelled, Exception? inner, CancellationToken cancellationToken) =>
        cancelled
            ? new JobCanceledException(damage, inner, cancellationToken)
            : new StepFailedException(damage, reason, inner);

    private async Task FinishAsync(bool succeeded)
    {
        if (await TryAppendAsync(new JournalRecord.Finished(succeeded) { At = Now }).ConfigureAwait(false))
            await CloseAsync().ConfigureAwait(false);
    }

    private async Task CloseAsync()
    {
        try
        {
            await _journal.CloseAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (JournalException)
        {
            // The next recovery finds the journal finished, and closes it.
        }
    }

    private async ValueTask AppendAsync(JournalRecord record)
    {
        // Never cancelled: a line that may or may not be there helps nobody.
        await _journal.AppendAsync(record, CancellationToken.None).ConfigureAwait(false);
        _state.Apply(record);
    }

    private async ValueTask<bool> TryAppendAsync(JournalRecord record)
    {
        try
        {
            await AppendAsync(record).ConfigureAwait(false);
            return true;
        }
        catch (JournalException)
        {
            return false;
        }
    }

    private StepRun Run(int step, bool repeated) => new(
        _state.Begun.JobId, repeated, !_state.Ended(step), report => Report(step, StepEvent.Reported, report: report));

    private void Report(int step, StepEvent what, string? error = null, StepReport? report = null) =>
        _desk.Progress.Report(new JobProgress
        {
            JobId = _state.Begun.JobId,
            Kind = _kind.Name,
            Step = _kind.StepNames[step],
            Index = step,
            Count = _kind.Steps.Length,
            Event = what,
            Report = report,
            Error = error,
        });

    private static string Clip(string text) => text.Length <= MaxErrorText ? text : text[..MaxErrorText] + "...";
}
