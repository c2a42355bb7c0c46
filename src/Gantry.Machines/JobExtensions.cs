using System.Runtime.ExceptionServices;
using Gantry.Model;
using Gantry.Steps.Jobs;

namespace Gantry.Machines;

/// <summary>Runs jobs for people: progress goes to their view, and what failed is what they are told.</summary>
public static class JobExtensions
{
    /// <summary>
    /// Runs a job. A step's own problem is thrown as it was, when everything could be undone; otherwise the problem
    /// says what is left.
    /// </summary>
    public static async Task<TContext> RunUnwrappedAsync<TContext>(
        this JobRunner runner, JobKind<TContext> kind, TContext context, IProgressSink progress, CancellationToken cancellationToken)
        where TContext : notnull
    {
        try
        {
            return await runner.RunAsync(kind, context, new SinkProgress(progress), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (StepFailedException e) when (e.InnerException is ProblemException inner)
        {
            if (e.Damage.NotUndone.Length > 0)
            {
                throw new ProblemException(
                    inner.Problem with { Detail = $"{inner.Problem.Detail}\n{e.Message}".Trim() }, inner);
            }

            ExceptionDispatchInfo.Throw(inner);
            throw;
        }
    }

    private sealed class SinkProgress(IProgressSink sink) : IJobProgress
    {
        private string? _text;

        public void Report(JobProgress progress)
        {
            if (progress.Report is not { } report)
                return;
            if (report.Text is { } text && text != _text)
                sink.Activity(_text = text);
            if (report.Done is { } done)
                sink.Amount(done, report.Total, report.Unit ?? "");
        }
    }
}
