namespace Gantry.Steps.Jobs;

/// <summary>What a step is told about the run that it is part of.</summary>
public sealed class StepRun
{
    private readonly Action<StepReport> _report;

    internal StepRun(string jobId, bool repeated, bool inDoubt, Action<StepReport> report)
    {
        JobId = jobId;
        Repeated = repeated;
        InDoubt = inDoubt;
        _report = report;
    }

    /// <summary>The job's id: unique, and fit for a file name.</summary>
    public string JobId { get; }

    /// <summary>This was begun before and not ended: the process was killed, or undoing failed.</summary>
    public bool Repeated { get; }

    /// <summary>While undoing: the step was begun, and it is not known how far it came.</summary>
    public bool InDoubt { get; }

    /// <summary>Says how far the step is; cheap, and nothing is kept of it.</summary>
    public void Report(StepReport report) => _report(report);

    /// <summary>Says in a few words what the step is doing.</summary>
    public void Report(string text) => _report(new StepReport { Text = text });
}
