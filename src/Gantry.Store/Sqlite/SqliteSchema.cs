using System.Security.Cryptography;
using Gantry.Model.State;

namespace Gantry.Store.Sqlite;

/// <summary>The tables of a state file, and how one is made and recognized.</summary>
internal static class SqliteSchema
{
    /// <summary>Grows with every change of the tables; kept in the file's user_version.</summary>
    public const int Version = 1;

    /// <summary>"GNTR", kept in the file's application_id.</summary>
    public const long ApplicationId = 0x474e5452;

    // Ordinary rowid tables: rows of a few KiB would spill out of the pages of a WITHOUT ROWID table.
    // history.total counts the bytes ever written to the history up to and with its row, so that "the rows before the
    // last N bytes" is a comparison. A row of version 0 is a deletion.
    private const string Tables = """
        CREATE TABLE store (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            store_id TEXT NOT NULL,
            generation INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            compacted INTEGER NOT NULL,
            total INTEGER NOT NULL);
        CREATE TABLE entries (
            key TEXT NOT NULL UNIQUE,
            value BLOB NOT NULL,
            create_revision INTEGER NOT NULL,
            mod_revision INTEGER NOT NULL,
            version INTEGER NOT NULL);
        CREATE TABLE history (
            seq INTEGER PRIMARY KEY,
            revision INTEGER NOT NULL,
            key TEXT NOT NULL,
            value BLOB NOT NULL,
            create_revision INTEGER NOT NULL,
            version INTEGER NOT NULL,
            total INTEGER NOT NULL);
        CREATE INDEX history_revision ON history (revision);
        """;

    /// <summary>Settings of a connection, none of which is kept in the file.</summary>
    // synchronous=FULL: a commit is on the disk before it is acknowledged. cell_size_check finds a damaged page when it
    // is read. No mmap: a failing disk would then be a SIGBUS and not an error.
    public const string ConnectionSettings =
        "PRAGMA synchronous=FULL; PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY";

    /// <summary>Makes the tables in an empty file; does nothing in a file of ours.</summary>
    /// <exception cref="StateStoreException">The file is something else, or a newer program's.</exception>
    public static void Prepare(SqliteConnection connection, string path)
    {
        connection.Run(ConnectionSettings);
        if (IsOurs(connection, path))
            return;

        if (connection.Text("PRAGMA journal_mode=WAL") is var mode && mode != "wal")
        {
            throw new StateStoreException(
                StateStoreProblem.Unavailable,
                $"The file system of '{path}' cannot hold a state file (journal mode expected wal, found {mode}). "
                + "Name a state folder on a local disk.");
        }

        connection.Run("BEGIN IMMEDIATE");
        // Another process may have been faster.
        if (!IsOurs(connection, path))
        {
            connection.Run(Tables);
            connection.Run(
                "INSERT INTO store (id, store_id, generation, revision, compacted, total) VALUES (1, '"
                + RandomNumberGenerator.GetHexString(32, lowercase: true) + "', 1, 1, 1, 0)");
            connection.Run($"PRAGMA application_id={ApplicationId}; PRAGMA user_version={Version}");
        }

        connection.Run("COMMIT");
    }

    /// <summary>Reads the one row of the table store.</summary>
    public static StateIdentity ReadIdentity(SqliteConnection connection, string path)
    {
        var statement = connection.Kept("SELECT store_id, generation FROM store");
        try
        {
            if (!statement.Step())
            {
                throw new StateStoreException(
                    StateStoreProblem.Corrupt,
                    $"The state file '{path}' has lost the row with its identity. Put a backup in its place.");
            }

            return new StateIdentity { StoreId = statement.Text(0), Generation = statement.Int64(1) };
        }
        finally
        {
            statement.Reset();
        }
    }

    private static bool IsOurs(SqliteConnection connection, string path)
    {
        long application = connection.Number("PRAGMA application_id");
        long version = connection.Number("PRAGMA user_version");
        if (application == ApplicationId && version == Version)
            return true;
        if (application == ApplicationId && version > Version)
        {
            throw new StateStoreException(
                StateStoreProblem.NewerSchema,
                $"The state file '{path}' has schema {version}; this program knows up to {Version}. A newer Gantry "
                + "wrote it: use that one, or another state folder.");
        }

        if (application == 0 && version == 0 && connection.Number("SELECT count(*) FROM sqlite_schema") == 0)
            return false;
        throw new StateStoreException(
            StateStoreProblem.Corrupt,
            $"The file '{path}' is an SQLite database, but not a state file of Gantry (application id "
            + $"{application}, schema {version}). Name another state folder, or move the file away.");
    }
}
