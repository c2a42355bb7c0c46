using Gantry.Model;
using Gantry.Model.Images;

namespace Gantry.Imaging.Builds;

public enum OnError
{
    /// <summary>Take everything away.</summary>
    Cleanup,

    /// <summary>Stop where it is, and leave the machine for a look.</summary>
    Abort,

    /// <summary>Ask a person.</summary>
    Ask,
}

/// <summary>How a person answers a question during a build.</summary>
public enum FailureAnswer
{
    Cleanup,
    Abort,
    Retry,
}

/// <summary>A failure that a person is asked about.</summary>
/// <param name="Problem">What failed, with what is known about it.</param>
/// <param name="CanRetry">What failed can be run once more, in the machine as it is now.</param>
public sealed record FailureQuestion(Problem Problem, bool CanRetry);

/// <summary>What the command line says about a run.</summary>
public sealed record BuildOptions
{
    public OnError OnError { get; init; }

    /// <summary>Neither use layers nor make them.</summary>
    public bool NoCache { get; init; }

    /// <summary>Replace output that an earlier run left.</summary>
    public bool Force { get; init; }

    /// <summary>What all layers together may take, in bytes.</summary>
    public long CacheLimit { get; init; } = 20L << 30;

    /// <summary>Asks a person what to do about a failure; null where nobody can be asked.</summary>
    public Func<FailureQuestion, CancellationToken, Task<FailureAnswer>>? Ask { get; init; }
}

/// <summary>What a build made.</summary>
public sealed record BuildResult
{
    public required string Name { get; init; }

    public TemplateRecord? Template { get; init; }

    /// <summary>Files for the user, absolute paths.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    public required TimeSpan Elapsed { get; init; }

    /// <summary>Where the machine came from, oldest first.</summary>
    public required Provenance Provenance { get; init; }

    /// <summary>How many steps were taken from the cache.</summary>
    public required int CachedSteps { get; init; }

    /// <summary>What each part took.</summary>
    public required IReadOnlyList<PartTime> Parts { get; init; }
}

public sealed record PartTime(string Part, TimeSpan Time);
