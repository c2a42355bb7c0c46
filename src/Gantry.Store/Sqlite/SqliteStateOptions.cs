namespace Gantry.Store.Sqlite;

/// <summary>How a state file is used. The defaults are right for a node.</summary>
public sealed record SqliteStateOptions
{
    /// <summary>How many revisions watches can go back (give or take 64).</summary>
    public int HistoryRevisions { get; init; } = 4096;

    /// <summary>How many bytes of keys and values the history holds (give or take 64 commits).</summary>
    public long HistoryBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>How long other processes may hold the file before <c>Busy</c> is thrown.</summary>
    public TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a store that is being watched looks for commits of other processes.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The clock of those waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
