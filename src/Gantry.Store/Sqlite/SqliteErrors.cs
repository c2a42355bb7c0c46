using Gantry.Model.State;
using SQLitePCL;

namespace Gantry.Store.Sqlite;

/// <summary>What SQLite said, with the words of our own errors.</summary>
internal sealed class SqliteErrorException(int code, string text) : Exception($"SQLite: {text} (code {code})")
{
    /// <summary>The extended result code.</summary>
    public int Code { get; } = code;

    // The low byte of an extended code is the primary one.
    private int Primary => Code & 0xff;

    public bool IsBusy => Primary is raw.SQLITE_BUSY or raw.SQLITE_LOCKED;

    public StateStoreException ToStoreException(string path, string doing) => Primary switch
    {
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => new StateStoreException(
            StateStoreProblem.Corrupt,
            $"The state file '{path}' is damaged (found while {doing}: {Message}). Move it aside together with "
            + $"'{path}-wal' and put a backup in its place; 'sqlite3 {path} .recover' may save what is left.",
            this),
        raw.SQLITE_FULL => new StateStoreException(
            StateStoreProblem.DiskFull,
            $"No room left on the file system of '{path}' while {doing}; nothing was written. Free some space and "
            + "try again.",
            this),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new StateStoreException(
            StateStoreProblem.Busy,
            $"The state file '{path}' was locked by other processes for too long while {doing}; nothing was "
            + "written. Look for a process that hangs with the file open ('fuser' shows it), then try again.",
            this),
        _ => new StateStoreException(
            StateStoreProblem.Unavailable,
            $"The state file '{path}' cannot be used (found while {doing}: {Message}). Check that the file and its "
            + "folder exist, belong to you and can be written, and that the disk is healthy.",
            this),
    };
}
