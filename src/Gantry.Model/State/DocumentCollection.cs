using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;

namespace Gantry.Model.State;

/// <summary>
/// Documents of one type under one prefix of a store. Everything is written by compare-and-set. Holds no state of its
/// own: make as many as are useful.
/// </summary>
/// <typeparam name="T">The document's type; immutable.</typeparam>
[SuppressMessage("Naming", "CA1711", Justification = "It is a collection of documents, if not a .NET collection.")]
public sealed class DocumentCollection<T>
    where T : notnull
{
    /// <summary>How often <see cref="UpdateAsync"/> tries before it gives up.</summary>
    public const int MaxAttempts = 32;

    private readonly IStateStore _store;
    private readonly DocumentCodec<T> _codec;

    /// <param name="store">Where the documents are.</param>
    /// <param name="prefix">Ends with '/', such as <c>machines/</c>.</param>
    /// <param name="type">
    /// From a source-generated context which refuses unknown members; asked for when a document is first read or
    /// written.
    /// </param>
    /// <param name="schema">The version of the documents' shape that is written, and the only one that is read.</param>
    /// <exception cref="ArgumentException">The prefix does not end with '/'.</exception>
    public DocumentCollection(IStateStore store, string prefix, Func<JsonTypeInfo<T>> type, int schema)
    {
        StateLimits.CheckPrefix(prefix);
        if (!prefix.EndsWith('/'))
            throw new ArgumentException($"A collection's prefix ends with '/'; found '{prefix}'.", nameof(prefix));
        _store = store;
        _codec = new DocumentCodec<T>(type, schema);
        Prefix = prefix;
    }

    /// <summary>The beginning of every key of the collection; ends with '/'.</summary>
    public string Prefix { get; }

    /// <summary>The whole key of the document <paramref name="id"/>.</summary>
    public string KeyOf(string id)
    {
        string key = Prefix + id;
        StateLimits.CheckKey(key);
        return key;
    }

    /// <summary>Null if there is no such document.</summary>
    /// <exception cref="DocumentUnreadableException">There is, and it cannot be read.</exception>
    public async ValueTask<Document<T>?> GetAsync(string id, CancellationToken cancellationToken)
    {
        var entry = await _store.GetAsync(KeyOf(id), cancellationToken).ConfigureAwait(false);
        return entry is null ? null : Read(entry);
    }

    /// <summary>All documents, in ascending byte order of their ids.</summary>
    /// <remarks>Beyond <see cref="StateLimits.MaxRange"/> documents the pages are of different revisions.</remarks>
    /// <exception cref="DocumentUnreadableException">One of them cannot be read.</exception>
    public ValueTask<ImmutableArray<Document<T>>> ListAsync(CancellationToken cancellationToken) =>
        ListAsync(Read, cancellationToken);

    /// <summary>
    /// As <see cref="ListAsync(CancellationToken)"/>, but only the part of each that is asked for: for a program that
    /// lives for one answer, making the whole type from JSON takes longer than all the rest.
    /// </summary>
    /// <param name="read">
    /// Reads a document; may throw as <see cref="System.Text.Json.Utf8JsonReader"/>'s own members do when it is not
    /// what is expected.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DocumentUnreadableException">One of them cannot be read.</exception>
    public ValueTask<ImmutableArray<TPart>> ListPartsAsync<TPart>(
        JsonReading<TPart> read, CancellationToken cancellationToken)
        where TPart : notnull =>
        ListAsync(entry => _codec.Decode(entry.Key, entry.Value.Span, read), cancellationToken);

    private async ValueTask<ImmutableArray<TRead>> ListAsync<TRead>(
        Func<StateEntry, TRead> read, CancellationToken cancellationToken)
    {
        var all = ImmutableArray.CreateBuilder<TRead>();
        string? after = null;
        while (true)
        {
            var page = await _store.RangeAsync(Prefix, StateLimits.MaxRange, after, cancellationToken)
                .ConfigureAwait(false);
            foreach (var entry in page.Entries)
                all.Add(read(entry));
            if (!page.More)
                return all.ToImmutable();
            after = page.Entries[^1].Key;
        }
    }

    /// <summary>
    /// All documents by id, with the revision of the first page: what has changed since then is told by a watch from
    /// the next one on, some of it perhaps a second time.
    /// </summary>
    /// <exception cref="DocumentUnreadableException">One of them cannot be read.</exception>
    public async ValueTask<(ImmutableSortedDictionary<string, Document<T>> All, long Revision)> ReadAllAsync(
        CancellationToken cancellationToken)
    {
        var all = ImmutableSortedDictionary.CreateBuilder<string, Document<T>>(StringComparer.Ordinal);
        long? revision = null;
        string? after = null;
        while (true)
        {
            var page = await _store.RangeAsync(Prefix, StateLimits.MaxRange, after, cancellationToken)
                .ConfigureAwait(false);
            revision ??= page.Revision;
            foreach (var entry in page.Entries)
                all.Add(entry.Key[Prefix.Length..], Read(entry));
            if (!page.More)
                return (all.ToImmutable(), revision.Value);
            after = page.Entries[^1].Key;
        }
    }

    internal IAsyncEnumerable<StateWatchItem> WatchAsync(long fromRevision, CancellationToken cancellationToken) =>
        _store.WatchAsync(Prefix, fromRevision, cancellationToken);

    /// <summary>Makes a document; null, and nothing done, if there is one already.</summary>
    public async ValueTask<Document<T>?> CreateAsync(string id, T value, CancellationToken cancellationToken)
    {
        var commit = await _store.CommitAsync(
            new StateTransaction { When = [Absent(id)], Then = [Put(id, value)] }, cancellationToken)
            .ConfigureAwait(false);
        return commit.Succeeded ? Written(id, value, commit.Revision) : null;
    }

    /// <summary>
    /// Replaces a document if nobody has changed it since it was read; null, and nothing done, otherwise.
    /// </summary>
    public async ValueTask<Document<T>?> ReplaceAsync(
        Document<T> read, T value, CancellationToken cancellationToken)
    {
        var commit = await _store.CommitAsync(
            new StateTransaction { When = [Unchanged(read)], Then = [Put(read.Id, value)] }, cancellationToken)
            .ConfigureAwait(false);
        return commit.Succeeded ? Written(read.Id, value, commit.Revision) : null;
    }

    /// <summary>Applies a function to a document; null if there is no such document.</summary>
    /// <param name="id">The document.</param>
    /// <param name="change">
    /// Pure: it is called again, with the newer document, whenever another writer came first. If it returns the very
    /// object that it was given, nothing is written.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DocumentConflictException">Others came first <see cref="MaxAttempts"/> times.</exception>
    public async ValueTask<Document<T>?> UpdateAsync(
        string id, Func<T, T> change, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var read = await GetAsync(id, cancellationToken).ConfigureAwait(false);
            if (read is null)
                return null;
            var value = change(read.Value);
            if (ReferenceEquals(value, read.Value))
                return read;
            if (await ReplaceAsync(read, value, cancellationToken).ConfigureAwait(false) is { } written)
                return written;
        }

        throw new DocumentConflictException(KeyOf(id), MaxAttempts);
    }

    /// <summary>Deletes a document if nobody has changed it since it was read; whether it did.</summary>
    public async ValueTask<bool> DeleteAsync(Document<T> read, CancellationToken cancellationToken)
    {
        var commit = await _store.CommitAsync(
            new StateTransaction { When = [Unchanged(read)], Then = [Delete(read.Id)] }, cancellationToken)
            .ConfigureAwait(false);
        return commit.Succeeded;
    }

    /// <summary>For a transaction of one's own: this document is as it was read.</summary>
    public StateCompare Unchanged(Document<T> read) => new StateCompare.ModRevisionIs(read.Key, read.Revision);

    /// <summary>For a transaction of one's own: there is no such document.</summary>
    public StateCompare Absent(string id) => new StateCompare.Absent(KeyOf(id));

    /// <summary>For a transaction of one's own: writes a document.</summary>
    public StateOperation Put(string id, T value) => new StateOperation.Put(KeyOf(id), _codec.Encode(value));

    /// <summary>For a transaction of one's own: deletes a document.</summary>
    public StateOperation Delete(string id) => new StateOperation.Delete(KeyOf(id));

    /// <summary>Reads an entry that came from a transaction's reads or from a watch.</summary>
    /// <exception cref="ArgumentException">The entry is not of this collection.</exception>
    /// <exception cref="DocumentUnreadableException">It cannot be read.</exception>
    public Document<T> Read(StateEntry entry)
    {
        if (!entry.Key.StartsWith(Prefix, StringComparison.Ordinal))
            throw new ArgumentException($"The key '{entry.Key}' is not under '{Prefix}'.", nameof(entry));
        return new Document<T>
        {
            Id = entry.Key[Prefix.Length..],
            Key = entry.Key,
            Value = _codec.Decode(entry.Key, entry.Value.Span),
            Revision = entry.ModRevision,
        };
    }

    private Document<T> Written(string id, T value, long revision) =>
        new() { Id = id, Key = Prefix + id, Value = value, Revision = revision };
}
