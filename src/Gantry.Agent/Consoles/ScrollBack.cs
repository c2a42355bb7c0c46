using Gantry.Model;
using Gantry.Model.Nodes;

namespace Gantry.Agent.Consoles;

/// <summary>
/// The last bytes that a serial line said, for any number of readers that each have a place in it. It is all that is
/// kept: a reader costs nothing more, and one that falls further behind than it reaches has lost its place.
/// </summary>
/// <param name="capacity">Bytes.</param>
internal sealed class ScrollBack(int capacity)
{
    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[capacity];
    private readonly ChangeSignal _news = new();
    private long _end;
    private ConsoleEnd? _over;

    public bool IsOver
    {
        get
        {
            lock (_gate)
                return _over is not null;
        }
    }

    private long Start => Math.Max(0, _end - capacity);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_over is not null || bytes.IsEmpty)
                return;
            var kept = bytes[Math.Max(0, bytes.Length - capacity)..];
            _end += bytes.Length;
            var at = (int)((_end - kept.Length) % capacity);
            var first = Math.Min(kept.Length, capacity - at);
            kept[..first].CopyTo(_ring.AsSpan(at));
            kept[first..].CopyTo(_ring);
        }

        _news.Raise();
    }

    /// <summary>Nothing more comes; readers are told so after the last byte. Only the first reason counts.</summary>
    public void Close(ConsoleEnd reason)
    {
        lock (_gate)
        {
            if (_over is not null)
                return;
            _over = reason;
        }

        _news.Raise();
    }

    /// <summary>
    /// A place at most so many bytes before the end; where that cuts a line and another follows, there, so that no
    /// reader begins in the middle of a character or an escape sequence.
    /// </summary>
    public long Place(int before)
    {
        lock (_gate)
        {
            var place = Math.Max(Start, _end - before);
            if (place == 0 || place == _end)
                return place;
            for (var at = place - 1; at < _end; at++)
            {
                if (at >= Start && _ring[at % capacity] == '\n')
                    return at + 1;
            }

            return place;
        }
    }

    /// <summary>Copies what comes at a place, waiting for it.</summary>
    /// <returns>How many bytes; 0 when it is over, with the reason.</returns>
    public async ValueTask<(int Count, ConsoleEnd? End)> ReadAsync(
        long place, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task news;
            lock (_gate)
            {
                if (place < Start)
                    return (0, new ConsoleEnd.TooSlow());
                if (place < _end)
                    return (Copy(place, buffer.Span), null);
                if (_over is not null)
                    return (0, _over);
                news = _news.Next;
            }

            await news.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private int Copy(long place, Span<byte> into)
    {
        var count = (int)Math.Min(_end - place, into.Length);
        var at = (int)(place % capacity);
        var first = Math.Min(count, capacity - at);
        _ring.AsSpan(at, first).CopyTo(into);
        _ring.AsSpan(0, count - first).CopyTo(into[first..]);
        return count;
    }
}
