using Gantry.Steps.Journals;

namespace Gantry.Steps.Jobs;

/// <summary>What every execution needs.</summary>
internal sealed record JobDesk
{
    public required IJournalHome Home { get; init; }

    public required TimeProvider Time { get; init; }

    public required IJobProgress Progress { get; init; }
}
