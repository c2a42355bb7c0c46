using SQLitePCL;

namespace Gantry.Store.Sqlite;

/// <summary>
/// One connection to one file, for one thread at a time. The layer under ADO.NET is used directly: its commands wait
/// for a lock with the thread asleep and out of reach of cancellation, and cost an allocation for each parameter.
/// </summary>
internal sealed class SqliteConnection : IDisposable
{
    /// <summary>
    /// How long SQLite itself waits for a lock, in milliseconds, with the thread blocked. Short: the caller's loop
    /// waits on, without a thread, and can be cancelled.
    /// </summary>
    private const int BusyMilliseconds = 100;

    private static readonly Lazy<bool> Loaded = new(Load);

    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);
    private readonly sqlite3 _database;

    private SqliteConnection(sqlite3 database) => _database = database;

    /// <summary>Opens an existing file (which may be empty).</summary>
    /// <exception cref="SqliteErrorException">It cannot be opened.</exception>
    public static SqliteConnection Open(string path)
    {
        _ = Loaded.Value;
        int code = raw.sqlite3_open_v2(
            path, out var database, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_NOMUTEX, null);
        if (code != raw.SQLITE_OK)
        {
            database.Dispose();
            throw new SqliteErrorException(code, raw.sqlite3_errstr(code).utf8_to_string());
        }

        raw.sqlite3_extended_result_codes(database, 1);
        raw.sqlite3_busy_timeout(database, BusyMilliseconds);
        return new SqliteConnection(database);
    }

    /// <summary>In a transaction (or in what is left of one after an error).</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(_database) == 0;

    /// <summary>A statement that is kept prepared for as long as the connection lives.</summary>
    public SqliteStatement Kept(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            Check(raw.sqlite3_prepare_v3(_database, sql, raw.SQLITE_PREPARE_PERSISTENT, out var prepared));
            statement = new SqliteStatement(this, prepared);
            _statements.Add(sql, statement);
        }

        return statement;
    }

    /// <summary>Runs one or more statements without parameters or answers.</summary>
    public void Run(string sql) => Check(raw.sqlite3_exec(_database, sql));

    /// <summary>The first column of the first row, as a number; 0 without a row.</summary>
    public long Number(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_database, sql, out var prepared));
        using var statement = new SqliteStatement(this, prepared);
        return statement.Step() ? statement.Int64(0) : 0;
    }

    /// <summary>The first column of the first row, as text; empty without a row.</summary>
    public string Text(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_database, sql, out var prepared));
        using var statement = new SqliteStatement(this, prepared);
        return statement.Step() ? statement.Text(0) : "";
    }

    /// <summary>Undoes what is left of a transaction; safe when there is none.</summary>
    public void RollBack()
    {
        // SQLite rolls back by itself after some errors; and an error here would hide the first one.
        if (InTransaction)
            _ = raw.sqlite3_exec(_database, "ROLLBACK");
    }

    public void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            throw Error(code);
    }

    public SqliteErrorException Error(int code) =>
        new(raw.sqlite3_extended_errcode(_database) is var extended && (extended & 0xff) == (code & 0xff)
            ? extended : code, raw.sqlite3_errmsg(_database).utf8_to_string());

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        _statements.Clear();
        _database.Dispose();
    }

    // Once a process: finds the native library.
    private static bool Load()
    {
        Batteries_V2.Init();
        return true;
    }
}
