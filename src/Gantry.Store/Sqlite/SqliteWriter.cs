using System.Collections.Immutable;
using Gantry.Model.State;

namespace Gantry.Store.Sqlite;

/// <summary>Conditions, operations and reads of one transaction, inside BEGIN and COMMIT of its caller.</summary>
internal sealed class SqliteWriter
{
    private readonly SqliteConnection _connection;
    private readonly long _revision;
    private long _total;

    public SqliteWriter(SqliteConnection connection)
    {
        _connection = connection;
        var statement = connection.Kept("SELECT revision, total FROM store");
        try
        {
            _ = statement.Step();
            _revision = statement.Int64(0);
            _total = statement.Int64(1);
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>How many keys were put or deleted so far.</summary>
    public int Changes { get; private set; }

    /// <summary>The revision of the store before this transaction.</summary>
    public long Before => _revision;

    public bool Holds(StateCompare compare)
    {
        if (compare is StateCompare.RangeEmpty range)
            return SqliteRows.IsEmpty(_connection, range.Prefix);
        var entry = SqliteRows.Get(_connection, compare.Subject);
        return compare switch
        {
            StateCompare.VersionIs version => (entry?.Version ?? 0) == version.Version,
            StateCompare.ModRevisionIs mod => (entry?.ModRevision ?? 0) == mod.Revision,
            StateCompare.CreateRevisionIs create => (entry?.CreateRevision ?? 0) == create.Revision,
            StateCompare.Exists => entry is not null,
            StateCompare.Absent => entry is null,
            StateCompare.ValueIs value => entry is not null && entry.Value.Span.SequenceEqual(value.Value.Span),
            _ => throw new InvalidOperationException($"Unknown condition {compare}."),
        };
    }

    public StateReadResult Read(StateRead read) => read switch
    {
        StateRead.Get get => new StateReadResult
        {
            Entries = SqliteRows.Get(_connection, get.Key) is { } entry ? [entry] : [],
        },
        StateRead.Range range => new StateReadResult
        {
            Entries = SqliteRows.Range(_connection, range.Prefix, null, range.Limit),
        },
        _ => throw new InvalidOperationException($"Unknown read {read}."),
    };

    public void Apply(StateOperation operation)
    {
        switch (operation)
        {
            case StateOperation.Put put:
                Put(put);
                break;
            case StateOperation.Delete delete:
                Delete(delete.Key);
                break;
            case StateOperation.DeleteRange range:
                DeleteRange(range.Prefix);
                break;
            default:
                throw new InvalidOperationException($"Unknown operation {operation}.");
        }
    }

    /// <summary>
    /// Makes the new revision, if anything changed, and forgets the oldest history; the store's revision.
    /// </summary>
    public long Finish(int historyRevisions, long historyBytes)
    {
        if (Changes == 0)
            return _revision;
        _connection.Kept("UPDATE store SET revision = ?1, total = ?2").Bind(1, _revision + 1).Bind(2, _total).Run();
        SqliteHistory.Trim(_connection, _revision + 1 - historyRevisions, _total - historyBytes);
        return _revision + 1;
    }

    private void Put(StateOperation.Put put)
    {
        var statement = _connection.Kept("""
            INSERT INTO entries (key, value, create_revision, mod_revision, version) VALUES (?1, ?2, ?3, ?3, 1)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, mod_revision = excluded.mod_revision,
            version = version + 1 RETURNING create_revision, version
            """).Bind(1, put.Key).Bind(2, put.Value.Span).Bind(3, _revision + 1);
        long created;
        long version;
        try
        {
            _ = statement.Step();
            created = statement.Int64(0);
            version = statement.Int64(1);
            _ = statement.Step();
        }
        finally
        {
            statement.Reset();
        }

        Remember(put.Key, put.Value.Span, created, version);
    }

    private void Delete(string key)
    {
        var statement = _connection.Kept("DELETE FROM entries WHERE key = ?1 RETURNING 1").Bind(1, key);
        bool deleted;
        try
        {
            deleted = statement.Step();
            if (deleted)
                _ = statement.Step();
        }
        finally
        {
            statement.Reset();
        }

        if (deleted)
            Remember(key, [], 0, 0);
    }

    private void DeleteRange(string prefix)
    {
        var keys = SqliteRows.Keys(_connection, prefix, StateLimits.MaxDeletedKeys + 1);
        if (keys.Count > StateLimits.MaxDeletedKeys)
        {
            throw new StateLimitException(
                $"keys to delete under '{prefix}' (at least)", keys.Count, StateLimits.MaxDeletedKeys);
        }

        foreach (string key in keys)
            Delete(key);
    }

    private void Remember(string key, ReadOnlySpan<byte> value, long created, long version)
    {
        Changes++;
        _total += key.Length + value.Length;
        _connection.Kept("""
            INSERT INTO history (revision, key, value, create_revision, version, total)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """)
            .Bind(1, _revision + 1).Bind(2, key).Bind(3, value).Bind(4, created).Bind(5, version).Bind(6, _total)
            .Run();
    }
}
