using System.Collections.Immutable;
using Gantry.Model.State;

namespace Gantry.Store.Sqlite;

/// <summary>Reads of the table entries, inside whatever transaction the connection is in.</summary>
internal static class SqliteRows
{
    private const string Columns = "SELECT key, value, create_revision, mod_revision, version FROM entries ";

    public static long Revision(SqliteConnection connection)
    {
        var statement = connection.Kept("SELECT revision FROM store");
        try
        {
            return statement.Step() ? statement.Int64(0) : 0;
        }
        finally
        {
            statement.Reset();
        }
    }

    public static StateEntry? Get(SqliteConnection connection, string key)
    {
        var statement = connection.Kept(Columns + "WHERE key = ?1").Bind(1, key);
        try
        {
            return statement.Step() ? Entry(statement) : null;
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>Up to <paramref name="limit"/> entries under the prefix, after a key if one is given.</summary>
    public static ImmutableArray<StateEntry> Range(
        SqliteConnection connection, string prefix, string? afterKey, int limit)
    {
        var statement = connection.Kept(Columns + "WHERE key >= ?1 AND key < ?2 AND key > ?3 ORDER BY key LIMIT ?4")
            .Bind(1, prefix).Bind(2, End(prefix)).Bind(3, afterKey ?? "").Bind(4, limit);
        var entries = ImmutableArray.CreateBuilder<StateEntry>();
        try
        {
            while (statement.Step())
                entries.Add(Entry(statement));
            return entries.DrainToImmutable();
        }
        finally
        {
            statement.Reset();
        }
    }

    public static bool IsEmpty(SqliteConnection connection, string prefix)
    {
        var statement = connection.Kept("SELECT 1 FROM entries WHERE key >= ?1 AND key < ?2 LIMIT 1")
            .Bind(1, prefix).Bind(2, End(prefix));
        try
        {
            return !statement.Step();
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>The keys under a prefix, at most <paramref name="limit"/>.</summary>
    public static List<string> Keys(SqliteConnection connection, string prefix, int limit)
    {
        var statement = connection.Kept("SELECT key FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3")
            .Bind(1, prefix).Bind(2, End(prefix)).Bind(3, limit);
        var keys = new List<string>();
        try
        {
            while (statement.Step())
                keys.Add(statement.Text(0));
            return keys;
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>The first string after everything that begins with the prefix; keys are below U+007F.</summary>
    public static string End(string prefix) =>
        prefix.Length == 0 ? "\u007f" : prefix[..^1] + (char)(prefix[^1] + 1);

    private static StateEntry Entry(SqliteStatement statement) => new()
    {
        Key = statement.Text(0),
        Value = statement.Blob(1),
        CreateRevision = statement.Int64(2),
        ModRevision = statement.Int64(3),
        Version = statement.Int64(4),
    };
}
