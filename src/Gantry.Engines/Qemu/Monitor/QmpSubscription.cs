using System.Collections.Frozen;
using System.Threading.Channels;

namespace Gantry.Engines.Qemu.Monitor;

/// <summary>
/// A bounded queue of events. A reader that is too slow loses the oldest ones and sees that in
/// <see cref="Dropped"/>; it should then ask QEMU for its state again. Dispose to stop collecting.
/// </summary>
public sealed class QmpSubscription : IAsyncEnumerable<QmpEvent>, IDisposable
{
    private readonly Channel<QmpEvent> _events;
    private readonly FrozenSet<string>? _names;
    private readonly Action<QmpSubscription> _remove;
    private long _dropped;

    /// <param name="remove">Called once, when the subscription is disposed.</param>
    public QmpSubscription(int capacity, ReadOnlySpan<string> names, Action<QmpSubscription> remove)
    {
        _names = names.IsEmpty ? null : names.ToArray().ToFrozenSet(StringComparer.Ordinal);
        _remove = remove;
        _events = Channel.CreateBounded<QmpEvent>(
            new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.DropOldest },
            _ => Interlocked.Increment(ref _dropped));
    }

    /// <summary>How many events were lost because they were not read in time.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Waits for the next event.</summary>
    /// <exception cref="QmpConnectionException">The connection ended; all earlier events were read.</exception>
    public async Task<QmpEvent> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _events.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException e)
        {
            throw new QmpConnectionException(e.InnerException?.Message ?? "the subscription was disposed", e);
        }
    }

    /// <summary>Takes an event if one is there.</summary>
    public bool TryNext(out QmpEvent? next) => _events.Reader.TryRead(out next);

    /// <summary>All events until the subscription is disposed; a lost connection ends it with an exception.</summary>
    public IAsyncEnumerator<QmpEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        _events.Reader.ReadAllAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);

    public void Dispose()
    {
        _remove(this);
        _events.Writer.TryComplete();
    }

    internal void Offer(QmpEvent happened)
    {
        if (_names is null || _names.Contains(happened.Name))
            _events.Writer.TryWrite(happened);
    }

    internal void Fail(Exception reason) => _events.Writer.TryComplete(reason);
}
