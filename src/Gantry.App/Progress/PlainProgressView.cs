using Gantry.App.Output;

namespace Gantry.App.Progress;

/// <summary>
/// Writes one line for each activity, and while one lasts a line every so often that says how far it is: for logs,
/// pipes and terminals that can't move their cursor.
/// </summary>
internal sealed class PlainProgressView : IProgressView
{
    /// <summary>Long enough for a readable log, short enough that CI systems do not take silence for a hang.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly TextWriter _writer;
    private readonly ProgressRecorder _recorder;
    private readonly ITimer _timer;
    private string _reported = "";
    private bool _completed;
    private bool _disposed;

    public PlainProgressView(TextWriter writer, TimeProvider time)
    {
        _writer = writer;
        _recorder = new ProgressRecorder(time);
        _timer = time.CreateTimer(_ => Report(), null, Interval, Interval);
    }

    public void Activity(string what)
    {
        lock (_lock)
        {
            if (_recorder.Begin(what) is { } before)
                WriteEnd(before.What, before.Took, "done");
            Write(DisplayText.Clean(what));
        }
    }

    public void Amount(long done, long? total, string unit) => _recorder.Amount(done, total, unit);

    public void GuestLine(string line) => _recorder.GuestLine(line);

    public void Note(string line)
    {
        lock (_lock)
        {
            foreach (var one in line.Split('\n'))
                Write(DisplayText.Clean(one));
        }
    }

    public void Complete()
    {
        lock (_lock)
            _completed = true;
    }

    public IDisposable Suspend() => new Nothing();

    public void Abandon()
    {
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            if (_disposed)
                return;
            if (_recorder.End() is { } last)
                WriteEnd(last.What, last.Took, _completed ? "done" : "stopped");
            _disposed = true;
        }
    }

    private void Report()
    {
        lock (_lock)
        {
            if (_recorder.Now() is not { } state)
                return;
            var percent = state.Fraction is { } fraction ? $"{(int)(fraction * 100)}%, " : "";
            var text = state.Done is not null ? (percent + state.AmountText()).TrimEnd(',', ' ') : "";
            if (state.GuestLine.Length > 0)
                text += (text.Length > 0 ? "; " : "") + "guest: " + state.GuestLine;
            // The same news twice is no news; that it still lasts is.
            if (text.Length == 0 || text == _reported)
                text = "still at it";
            else
                _reported = text;
            Write($"  {Quantities.Duration(state.Elapsed)}: {text}");
        }
    }

    private void WriteEnd(string what, TimeSpan took, string how) =>
        Write($"{what}: {how} in {Quantities.Duration(took)}");

    private void Write(string line)
    {
        if (_disposed)
            return;
        _writer.Write(line + "\n");
        _writer.Flush();
    }

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
