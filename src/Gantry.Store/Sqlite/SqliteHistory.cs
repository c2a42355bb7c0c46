using System.Collections.Immutable;
using Gantry.Model.State;

namespace Gantry.Store.Sqlite;

/// <summary>What watches read.</summary>
internal static class SqliteHistory
{
    /// <summary>How many changes one read of a watch fetches, apart from the rest of the last one's revision.</summary>
    private const int ReadRows = 256;

    // Deletes happen in blocks, so that most commits do not pay for them.
    private const int TrimEvery = 64;

    /// <summary>What one look at the history found.</summary>
    public sealed record Page
    {
        public required long Head { get; init; }

        public required long Compacted { get; init; }

        /// <summary>Ascending and whole revisions.</summary>
        public required ImmutableArray<StateWatchItem.Changed> Items { get; init; }

        /// <summary>Everything up to and with this revision has been looked at.</summary>
        public required long SeenUpTo { get; init; }
    }

    /// <summary>Reads changes from a revision on. The connection has to be in a transaction.</summary>
    public static Page Read(SqliteConnection connection, string prefix, long fromRevision)
    {
        var (head, compacted) = Bounds(connection);
        var items = fromRevision > compacted ? Changes(connection, prefix, fromRevision, long.MaxValue, ReadRows) : [];
        int rows = items.Sum(item => item.Changes.Length);
        if (rows < ReadRows)
            return new Page { Head = head, Compacted = compacted, Items = items, SeenUpTo = head };

        // The last revision may have been cut: read it again, whole.
        long last = items[^1].Revision;
        var whole = Changes(connection, prefix, last, last, int.MaxValue);
        return new Page { Head = head, Compacted = compacted, Items = [.. items[..^1], .. whole], SeenUpTo = last };
    }

    /// <summary>Forgets what is older than both bounds allow.</summary>
    /// <param name="connection">In a write transaction.</param>
    /// <param name="revision">Revisions up to this one go.</param>
    /// <param name="total">Rows whose running total of bytes is up to this go.</param>
    public static void Trim(SqliteConnection connection, long revision, long total)
    {
        if ((revision % TrimEvery) != 0)
            return;

        var statement = connection.Kept("""
            SELECT revision FROM history WHERE total <= ?1 AND revision > ?2 ORDER BY seq DESC LIMIT 1
            """).Bind(1, total).Bind(2, revision);
        try
        {
            if (statement.Step())
                revision = statement.Int64(0);
        }
        finally
        {
            statement.Reset();
        }

        Compact(connection, revision);
    }

    /// <summary>
    /// Forgets the changes up to and with a revision. The connection has to be in a write transaction.
    /// </summary>
    public static void Compact(SqliteConnection connection, long revision)
    {
        var (head, compacted) = Bounds(connection);
        revision = Math.Min(revision, head);
        if (revision <= compacted)
            return;
        connection.Kept("DELETE FROM history WHERE revision <= ?1").Bind(1, revision).Run();
        connection.Kept("UPDATE store SET compacted = ?1").Bind(1, revision).Run();
    }

    private static (long Head, long Compacted) Bounds(SqliteConnection connection)
    {
        var statement = connection.Kept("SELECT revision, compacted FROM store");
        try
        {
            _ = statement.Step();
            return (statement.Int64(0), statement.Int64(1));
        }
        finally
        {
            statement.Reset();
        }
    }

    private static ImmutableArray<StateWatchItem.Changed> Changes(
        SqliteConnection connection, string prefix, long from, long to, int limit)
    {
        var statement = connection.Kept("""
            SELECT revision, key, value, create_revision, version FROM history
            WHERE revision >= ?1 AND revision <= ?2 AND key >= ?3 AND key < ?4 ORDER BY revision, seq LIMIT ?5
            """)
            .Bind(1, from).Bind(2, to).Bind(3, prefix).Bind(4, SqliteRows.End(prefix)).Bind(5, limit);
        var items = ImmutableArray.CreateBuilder<StateWatchItem.Changed>();
        var changes = ImmutableArray.CreateBuilder<StateChange>();
        long revision = 0;
        try
        {
            while (statement.Step())
            {
                if (statement.Int64(0) != revision && changes.Count > 0)
                    items.Add(new StateWatchItem.Changed { Revision = revision, Changes = changes.DrainToImmutable() });
                revision = statement.Int64(0);
                changes.Add(Change(statement, revision));
            }
        }
        finally
        {
            statement.Reset();
        }

        if (changes.Count > 0)
            items.Add(new StateWatchItem.Changed { Revision = revision, Changes = changes.DrainToImmutable() });
        return items.DrainToImmutable();
    }

    private static StateChange Change(SqliteStatement statement, long revision)
    {
        string key = statement.Text(1);
        long version = statement.Int64(4);
        return new StateChange
        {
            Key = key,
            Entry = version == 0 ? null : new StateEntry
            {
                Key = key,
                Value = statement.Blob(2),
                CreateRevision = statement.Int64(3),
                ModRevision = revision,
                Version = version,
            },
        };
    }
}
