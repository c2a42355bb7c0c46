namespace Gantry.Model.State;

/// <summary>
/// Where specs, assignments and statuses are kept: small documents under '/'-separated keys, with transactions that
/// compare and set, and watches that resume from a revision. Shaped like etcd, because etcd is what it becomes in a
/// cluster. Safe for use from several threads; several processes may use one store.
/// </summary>
/// <remarks>
/// Reads are linearizable: they see every commit acknowledged before they began, whoever made it. A commit is durable
/// before it is acknowledged. A cancelled commit may or may not have taken place.
/// Every method throws <see cref="StateStoreException"/> when the store is broken or out of reach,
/// <see cref="StateLimitException"/> for what is too large, and <see cref="ArgumentException"/> for a bad key.
/// </remarks>
public interface IStateStore : IAsyncDisposable
{
    /// <summary>Which store this is; does not change while it is open.</summary>
    StateIdentity Identity { get; }

    /// <summary>Reads one key; null if it does not exist.</summary>
    ValueTask<StateEntry?> GetAsync(string key, CancellationToken cancellationToken);

    /// <summary>Reads the keys that begin with a prefix, in ascending byte order.</summary>
    /// <param name="prefix">
    /// A beginning of keys, by characters and not by parts: end it with '/'. Empty: all keys.
    /// </param>
    /// <param name="limit">From 1 to <see cref="StateLimits.MaxRange"/>.</param>
    /// <param name="afterKey">Only keys after this one (to read the next page); null from the first.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<StateRange> RangeAsync(
        string prefix, int limit, string? afterKey, CancellationToken cancellationToken);

    /// <summary>Does a transaction, whole or not at all.</summary>
    ValueTask<StateCommit> CommitAsync(StateTransaction transaction, CancellationToken cancellationToken);

    /// <summary>
    /// Follows the changes under a prefix until it is cancelled, by throwing
    /// <see cref="OperationCanceledException"/>, or until they are compacted away.
    /// </summary>
    /// <param name="prefix">As in <see cref="RangeAsync"/>.</param>
    /// <param name="fromRevision">
    /// The first revision of interest; 0 means those after the moment at which the stream is first asked for an item.
    /// May be in the future.
    /// </param>
    /// <param name="cancellationToken">Ends the stream.</param>
    IAsyncEnumerable<StateWatchItem> WatchAsync(
        string prefix, long fromRevision, CancellationToken cancellationToken);
}
