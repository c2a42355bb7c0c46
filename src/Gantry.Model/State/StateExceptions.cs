namespace Gantry.Model.State;

/// <summary>Something given to a store is larger than it takes. Nothing was written.</summary>
public sealed class StateLimitException : Exception
{
    /// <param name="what">What was counted, such as <c>bytes in the value of 'machines/100'</c>.</param>
    /// <param name="found">How many there were.</param>
    /// <param name="limit">How many there may be.</param>
    public StateLimitException(string what, long found, long limit)
        : base($"Too many {what}: found {found}, the limit is {limit}.")
    {
        Found = found;
        Limit = limit;
    }

    /// <summary>How many there were.</summary>
    public long Found { get; }

    /// <summary>How many there may be.</summary>
    public long Limit { get; }
}

/// <summary>Why a store cannot be used.</summary>
public enum StateStoreProblem
{
    /// <summary>The file is damaged, or is not a store of ours.</summary>
    Corrupt,

    /// <summary>A newer Gantry wrote the file.</summary>
    NewerSchema,

    /// <summary>No room on the file system; nothing of the transaction was written.</summary>
    DiskFull,

    /// <summary>Other writers held the store for longer than the time allowed; nothing was written.</summary>
    Busy,

    /// <summary>The file or the service cannot be reached: rights, a missing folder, a failing disk.</summary>
    Unavailable,
}

/// <summary>
/// The store itself is broken or out of reach. The message says what was found and what to do. After
/// <see cref="StateStoreProblem.Unavailable"/> from a commit it is unknown whether the commit took place.
/// </summary>
public sealed class StateStoreException : Exception
{
    /// <param name="problem">Which kind of trouble.</param>
    /// <param name="message">What was found and what to do.</param>
    /// <param name="inner">What the home itself said.</param>
    public StateStoreException(StateStoreProblem problem, string message, Exception? inner = null)
        : base(message, inner) => Problem = problem;

    /// <summary>Which kind of trouble.</summary>
    public StateStoreProblem Problem { get; }
}
