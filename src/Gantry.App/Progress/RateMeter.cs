namespace Gantry.App.Progress;

/// <summary>How fast an amount grows, over the last few seconds. Not safe for several threads.</summary>
internal sealed class RateMeter
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(100);
    private readonly Queue<(TimeSpan At, long Done)> _samples = new();
    private (TimeSpan At, long Done) _last;

    public void Add(TimeSpan at, long done)
    {
        // An amount that shrinks began anew.
        if (done < _last.Done)
            _samples.Clear();
        // At most one sample for each tenth of a second, so that the queue stays short whoever reports.
        if (_samples.Count == 0 || at - _last.At >= Spacing)
        {
            _samples.Enqueue((at, done));
            _last = (at, done);
        }
    }

    /// <summary>Units a second; null until there are two samples some time apart.</summary>
    public double? Rate(TimeSpan now)
    {
        while (_samples.Count > 2 && now - _samples.Peek().At > Window)
            _samples.Dequeue();
        if (_samples.Count < 2)
            return null;
        var first = _samples.Peek();
        // Up to now, not to the last sample: a stalled download must look slow.
        var seconds = (now - first.At).TotalSeconds;
        return seconds >= 0.5 ? (_last.Done - first.Done) / seconds : null;
    }
}
