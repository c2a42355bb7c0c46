using Gantry.Model;

namespace Gantry.Imaging.Builds;

/// <summary>
/// What a build says while it runs. It stands before the view that a person sees and the log file, and takes secrets
/// out of both.
/// </summary>
public sealed class BuildLog : IDisposable
{
    private readonly IProgressSink _view;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Lock _lock = new();
    private readonly StreamWriter? _file;

    /// <param name="view">Where a person sees it.</param>
    /// <param name="file">The log's file, appended to; null for none.</param>
    /// <param name="time">For the seconds before each line of the file.</param>
    public BuildLog(IProgressSink view, string? file, TimeProvider time)
    {
        _view = view;
        _time = time;
        _start = time.GetTimestamp();
        if (file is not null)
            _file = new StreamWriter(file, append: true) { AutoFlush = true };
    }

    public SecretFilter Secrets { get; } = new();

    /// <summary>For services that report by themselves; what they say is filtered like everything else.</summary>
    public IProgressSink Sink => new FilteredSink(this);

    /// <summary>What is being done now.</summary>
    public void Activity(string what)
    {
        what = Write("", what);
        _view.Activity(what);
    }

    /// <summary>Something that has happened, worth a line of its own.</summary>
    public void Note(string line) => _view.Note(Write("", line));

    /// <summary>A line that the guest, or a program of the build, wrote.</summary>
    public void Output(string line)
    {
        line = Write("    ", line);
        _view.GuestLine(line);
    }

    /// <summary>Only for the log's file.</summary>
    public void Detail(string line) => Write("  . ", line);

    public void Amount(long done, long? total, string unit) => _view.Amount(done, total, unit);

    public void Dispose() => _file?.Dispose();

    private string Write(string indent, string line)
    {
        line = Secrets.Apply(line);
        if (_file is null)
            return line;
        lock (_lock)
            _file.WriteLine($"{_time.GetElapsedTime(_start).TotalSeconds,8:0.00}  {indent}{line}");
        return line;
    }

    private sealed class FilteredSink(BuildLog log) : IProgressSink
    {
        public void Activity(string what) => log.Activity(what);

        public void Amount(long done, long? total, string unit) => log.Amount(done, total, unit);

        public void GuestLine(string line) => log.Output(line);

        public void Note(string line) => log.Note(line);
    }
}
