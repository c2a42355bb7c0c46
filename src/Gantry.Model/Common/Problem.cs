namespace Gantry.Model;

/// <summary>What kind of thing went wrong; the program's exit code and, later, the API's status follow from it.</summary>
public enum ProblemKind
{
    /// <summary>The input itself is wrong: a bad option, a template with errors, an impossible size.</summary>
    InvalidInput,

    /// <summary>The named thing does not exist.</summary>
    NotFound,

    /// <summary>The thing is in a state, or in use, such that the request can't be carried out now.</summary>
    Conflict,

    /// <summary>Another program has the file open, so it can't be changed: a disk that a machine runs on.</summary>
    InUse,

    /// <summary>Something outside is missing or broken: a program, a port, disk space, the network.</summary>
    Unavailable,

    /// <summary>It did not happen within the time allowed.</summary>
    TimedOut,

    /// <summary>The work was started and failed: a guest's script, an installation, QEMU itself.</summary>
    Failed,
}

/// <summary>
/// An error as a person reads it: what happened, what was expected and found where that helps, and what to do.
/// </summary>
public sealed record Problem
{
    public required ProblemKind Kind { get; init; }

    /// <summary>One sentence without a full stop: what could not be done, and why.</summary>
    public required string Summary { get; init; }

    /// <summary>More lines for the same error (for example a guest's last screen), or empty.</summary>
    public string Detail { get; init; } = "";

    /// <summary>What the person can do now, often a command; or empty.</summary>
    public string Remedy { get; init; } = "";

    public override string ToString() =>
        Summary + (Detail.Length > 0 ? "\n" + Detail : "") + (Remedy.Length > 0 ? "\n" + Remedy : "");
}

/// <summary>Carries a <see cref="Problem"/> to the top of a command. Anything else that gets there is a bug.</summary>
public sealed class ProblemException : Exception
{
    public ProblemException(Problem problem, Exception? inner = null)
        : base(problem.Summary, inner) => Problem = problem;

    public ProblemException(ProblemKind kind, string summary, string remedy = "", string detail = "", Exception? inner = null)
        : this(new Problem { Kind = kind, Summary = summary, Remedy = remedy, Detail = detail }, inner)
    {
    }

    public Problem Problem { get; }
}
