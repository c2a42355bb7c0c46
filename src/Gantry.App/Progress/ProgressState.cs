using Gantry.App.Output;

namespace Gantry.App.Progress;

/// <summary>What is known of the current activity at one moment.</summary>
internal sealed record ProgressState
{
    public required string Activity { get; init; }

    public required TimeSpan Elapsed { get; init; }

    /// <summary>null while no amount was reported.</summary>
    public long? Done { get; init; }

    public long? Total { get; init; }

    /// <summary><c>bytes</c>, or a plural noun.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Units a second.</summary>
    public double? Rate { get; init; }

    /// <summary>Cleaned; empty for none.</summary>
    public string GuestLine { get; init; } = "";

    /// <summary>0 to 1; null without a total.</summary>
    public double? Fraction =>
        Done is { } done && Total is > 0 and var total ? Math.Clamp((double)done / total, 0, 1) : null;

    /// <summary><c>120 MiB of 260 MiB, 12 MiB/s, 11 s left</c>; empty while no amount was reported.</summary>
    public string AmountText()
    {
        // A percentage says everything beside the bar.
        if (Done is not { } done || Unit == "percent")
            return "";
        var bytes = Unit == "bytes";
        var text = bytes ? Quantities.Bytes(done) : $"{done}";
        if (Total is { } total)
            text += " of " + (bytes ? Quantities.Bytes(total) : $"{total}");
        if (!bytes)
            text += " " + Unit;
        if (Rate is > 0 and var rate)
        {
            if (bytes)
                text += ", " + Quantities.Bytes(rate) + "/s";
            // Beyond a day it is a guess that helps nobody.
            if (Total > done && (Total - done) / rate is < 86_400 and var left)
                text += ", " + Quantities.Duration(TimeSpan.FromSeconds(left)) + " left";
        }

        return text;
    }
}

/// <summary>Collects what is reported; every member may be called from any thread.</summary>
internal sealed class ProgressRecorder(TimeProvider time)
{
    private readonly Lock _lock = new();
    private RateMeter _meter = new();
    private string? _activity;
    private long _started;
    private long? _done;
    private long? _total;
    private string _unit = "";
    private string _guestLine = "";

    /// <summary>The activity that ended and how long it took; null when there was none.</summary>
    public (string What, TimeSpan Took)? Begin(string what)
    {
        lock (_lock)
        {
            (string, TimeSpan)? before = _activity is { } name ? (name, time.GetElapsedTime(_started)) : null;
            _activity = DisplayText.Clean(what);
            _started = time.GetTimestamp();
            _meter = new RateMeter();
            (_done, _total, _unit, _guestLine) = (null, null, "", "");
            return before;
        }
    }

    public (string What, TimeSpan Took)? End()
    {
        lock (_lock)
        {
            (string, TimeSpan)? before = _activity is { } name ? (name, time.GetElapsedTime(_started)) : null;
            _activity = null;
            return before;
        }
    }

    public void Amount(long done, long? total, string unit)
    {
        lock (_lock)
        {
            (_done, _total, _unit) = (Math.Max(0, done), total, unit);
            _meter.Add(time.GetElapsedTime(_started), _done.Value);
        }
    }

    public void GuestLine(string line)
    {
        var clean = DisplayText.Clean(line);
        if (clean.Length == 0)
            return;
        lock (_lock)
            _guestLine = clean;
    }

    /// <summary>null between activities.</summary>
    public ProgressState? Now()
    {
        lock (_lock)
        {
            if (_activity is null)
                return null;
            var elapsed = time.GetElapsedTime(_started);
            return new ProgressState
            {
                Activity = _activity,
                Elapsed = elapsed,
                Done = _done,
                Total = _total,
                Unit = _unit,
                Rate = _meter.Rate(elapsed),
                GuestLine = _guestLine,
            };
        }
    }
}
