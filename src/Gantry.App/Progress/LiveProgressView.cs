using System.Text;
using Gantry.App.Hosting;
using Gantry.App.Output;

namespace Gantry.App.Progress;

/// <summary>
/// Draws the current activity at the bottom of a terminal, ten times a second, over what it drew before; finished
/// activities and notes scroll away above it.
/// </summary>
internal sealed class LiveProgressView : IProgressView
{
    private const string HideCursor = "\e[?25l";
    private const string ShowCursor = "\e[?25h";
    private const string EraseBelow = "\e[J";
    private const int UsualWidth = 80;
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly ITerminal _terminal;
    private readonly TextStyle _style;
    private readonly ProgressRecorder _recorder;
    private readonly ITimer _timer;
    private IReadOnlyList<FrameLine> _drawn = [];
    private int _tick;
    private int _suspended;
    private bool _completed;
    private bool _disposed;

    public LiveProgressView(ITerminal terminal, TextStyle style, TimeProvider time)
    {
        _terminal = terminal;
        _style = style;
        _recorder = new ProgressRecorder(time);
        _timer = time.CreateTimer(_ => Tick(), null, Frame, Frame);
    }

    private int Width => _terminal.Width ?? UsualWidth;

    public void Activity(string what)
    {
        lock (_lock)
        {
            var before = _recorder.Begin(what);
            Draw(before is { } done ? LiveFrame.Finished(done.What, done.Took, true, Width, _style) : null);
        }
    }

    public void Amount(long done, long? total, string unit) => _recorder.Amount(done, total, unit);

    public void GuestLine(string line) => _recorder.GuestLine(line);

    public void Note(string line)
    {
        lock (_lock)
            Draw(string.Join('\n', line.Split('\n').Select(DisplayText.Clean)));
    }

    public void Complete()
    {
        lock (_lock)
            _completed = true;
    }

    public IDisposable Suspend()
    {
        lock (_lock)
        {
            _suspended++;
            Write(Erase() + ShowCursor);
        }

        return new Resumption(this);
    }

    public void Abandon()
    {
        // No lock: the thread that holds it may be the one that hangs.
        _terminal.Error.Write("\n" + ShowCursor);
        _terminal.Error.Flush();
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            var last = _recorder.End() is { } end
                ? LiveFrame.Finished(end.What, end.Took, _completed, Width, _style) + "\n"
                : "";
            Write(Erase() + last + ShowCursor);
        }
    }

    private void Tick()
    {
        // A frame that is late is left out: frames must not queue up behind a slow terminal.
        if (!_lock.TryEnter())
            return;
        try
        {
            _tick++;
            Draw(null);
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>Draws anew, with a line above that stays.</summary>
    private void Draw(string? above)
    {
        if (_disposed)
            return;
        var text = new StringBuilder(Erase());
        if (above is not null)
            text.Append(above).Append('\n');
        if (_suspended == 0 && _recorder.Now() is { } state)
        {
            _drawn = LiveFrame.Render(state, Width, _tick, _style);
            text.Append(HideCursor).AppendJoin('\n', _drawn.Select(line => line.Text));
        }

        if (text.Length > 0)
            Write(text.ToString());
    }

    /// <summary>What takes the drawn lines off the screen. A terminal that became narrower has broken them into more
    /// rows than were drawn.</summary>
    private string Erase()
    {
        if (_drawn.Count == 0)
            return "";
        var width = Math.Max(1, Width);
        var rows = _drawn.Sum(line => Math.Max(1, (line.Width + width - 1) / width));
        _drawn = [];
        return "\r" + (rows > 1 ? $"\e[{rows - 1}A" : "") + EraseBelow;
    }

    private void Write(string text)
    {
        _terminal.Error.Write(text);
        _terminal.Error.Flush();
    }

    private void Resume()
    {
        lock (_lock)
        {
            _suspended--;
            Draw(null);
        }
    }

    private sealed class Resumption(LiveProgressView view) : IDisposable
    {
        private int _done;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _done, 1) == 0)
                view.Resume();
        }
    }
}
