using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Gantry.Model.State;

/// <summary>What is new in a collection since the item before.</summary>
/// <typeparam name="T">The documents' type.</typeparam>
public sealed record DocumentNews<T>
{
    /// <summary>All documents as of <see cref="Revision"/>, by id; the same object is shared by later ones.</summary>
    public required ImmutableSortedDictionary<string, Document<T>> All { get; init; }

    /// <summary>The ids of those that were put or deleted, in no order.</summary>
    public required ImmutableHashSet<string> Changed { get; init; }

    /// <summary>The store's revision up to which everything has been seen.</summary>
    public required long Revision { get; init; }
}

/// <summary>Keeps the whole of a collection in memory by reading it once and watching it from then on.</summary>
public static class DocumentFollower
{
    /// <summary>
    /// The collection as it is, at once, and then anew after every change; changes of one transaction come together.
    /// Where the store has forgotten changes that were not seen yet, the collection is read again and what differs is
    /// reported. Ends only by throwing: when it is cancelled, or when the store or a document can't be read.
    /// </summary>
    public static async IAsyncEnumerable<DocumentNews<T>> FollowAsync<T>(
        this DocumentCollection<T> collection, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : notnull
    {
        var all = ImmutableSortedDictionary.Create<string, Document<T>>(StringComparer.Ordinal);
        while (true)
        {
            var read = await collection.ReadAllAsync(cancellationToken).ConfigureAwait(false);
            var changed = Differences(all, read.All);
            all = read.All;
            yield return new DocumentNews<T> { All = all, Changed = changed, Revision = read.Revision };
            var changes = collection.WatchAsync(read.Revision + 1, cancellationToken);
            await foreach (var item in changes.ConfigureAwait(false))
            {
                if (item is not StateWatchItem.Changed news)
                    break;
                changed = [];
                foreach (var change in news.Changes)
                {
                    var id = change.Key[collection.Prefix.Length..];
                    var known = all.GetValueOrDefault(id)?.Revision ?? 0;
                    // A collection of several pages may hold what a change since its first page has brought.
                    if (known > news.Revision)
                        continue;
                    all = change.Entry is { } entry ? all.SetItem(id, collection.Read(entry)) : all.Remove(id);
                    changed = changed.Add(id);
                }

                yield return new DocumentNews<T> { All = all, Changed = changed, Revision = news.Revision };
            }
        }
    }

    private static ImmutableHashSet<string> Differences<T>(
        ImmutableSortedDictionary<string, Document<T>> before, ImmutableSortedDictionary<string, Document<T>> after)
    {
        var changed = ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var (id, document) in after)
        {
            if (!before.TryGetValue(id, out var old) || old.Revision != document.Revision)
                changed.Add(id);
        }

        foreach (var id in before.Keys)
        {
            if (!after.ContainsKey(id))
                changed.Add(id);
        }

        return changed.ToImmutable();
    }
}
