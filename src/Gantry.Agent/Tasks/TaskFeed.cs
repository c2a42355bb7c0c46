using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using Gantry.Model;
using Gantry.Model.Tasks;

namespace Gantry.Agent.Tasks;

/// <summary>
/// Where one running task says what it does: lines into its log, and its progress to those who follow it now.
/// </summary>
internal sealed class TaskFeed : IProgressSink, IDisposable
{
    /// <summary>Bytes of a log; what comes after is not kept.</summary>
    internal const long LongestLog = 16 * 1024 * 1024;

    private const int LongestLine = 8 * 1024;

    private readonly Lock _gate = new();
    private readonly FileStream? _log;
    private readonly ChangeSignal _changed = new();
    private TaskProgress _progress = new() { Activity = "" };
    private long _length;
    private bool _full;
    private bool _ended;

    public TaskFeed(string path)
    {
        Path = path;
        try
        {
            _log = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (IOException)
        {
            // A full disk is no reason to give up the task, which may be what makes room.
            _full = true;
        }
    }

    public string Path { get; }

    public TaskProgress Progress
    {
        get
        {
            lock (_gate)
                return _progress;
        }
    }

    public void Activity(string what)
    {
        Change(() => _progress = new TaskProgress { Activity = what });
        Write(what);
    }

    public void Amount(long done, long? total, string unit) =>
        Change(() => _progress = _progress with { Done = done, Total = total, Unit = unit });

    public void GuestLine(string line)
    {
        Change(() => _progress = _progress with { GuestLine = line });
        Write("guest: " + line);
    }

    public void Note(string line) => Write(line);

    /// <summary>Nothing more is said.</summary>
    public void Dispose() => Change(() =>
    {
        _ended = true;
        _log?.Dispose();
    });

    /// <summary>The log from an offset on and what is said from now on, until the task has ended.</summary>
    public async IAsyncEnumerable<TaskNews> FollowAsync(
        long offset, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = LogReader.TryOpen(Path, offset);
        TaskProgress? told = null;
        while (true)
        {
            Task changed;
            TaskProgress progress;
            long length;
            bool ended;
            lock (_gate)
                (changed, progress, length, ended) = (_changed.Next, _progress, _length, _ended);
            foreach (var news in reader?.ReadTo(length) ?? [])
                yield return news;
            if (progress != told)
                yield return new TaskNews { Offset = reader?.Offset ?? offset, Progress = told = progress };
            if (ended)
                yield break;
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The whole log of a task that has ended.</summary>
    public static IEnumerable<TaskNews> Read(string path, long offset)
    {
        using var reader = LogReader.TryOpen(path, offset);
        foreach (var news in reader?.ReadTo(long.MaxValue) ?? [])
            yield return news;
    }

    private void Write(string text)
    {
        var line = text.Replace('\n', ' ').Replace('\r', ' ');
        Change(() =>
        {
            if (_full || _ended)
                return;
            if (line.Length > LongestLine)
                line = line[..LongestLine] + " ...";
            var bytes = Encoding.UTF8.GetBytes(line + '\n');
            _full = _length + bytes.Length > LongestLog;
            if (_full)
                bytes = "the log is full: what follows is not kept\n"u8.ToArray();
            try
            {
                _log!.Write(bytes);
                _length += bytes.Length;
            }
            catch (IOException)
            {
                // As above.
                _full = true;
            }
        });
    }

    private void Change(Action change)
    {
        lock (_gate)
            change();
        _changed.Raise();
    }

    /// <summary>Reads whole lines; what is written while it reads is not looked at before it is told of.</summary>
    private sealed class LogReader : IDisposable
    {
        private readonly FileStream _file;

        private LogReader(FileStream file, long offset)
        {
            _file = file;
            Offset = offset;
        }

        public long Offset { get; private set; }

        /// <summary>Null where there is no log.</summary>
        public static LogReader? TryOpen(string path, long offset)
        {
            try
            {
                return new LogReader(
                    new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete),
                    offset);
            }
            catch (FileNotFoundException)
            {
                return null;
            }
        }

        public IEnumerable<TaskNews> ReadTo(long length)
        {
            length = Math.Min(length, _file.Length);
            if (Offset >= length)
                yield break;
            var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(length - Offset, 64 * 1024));
            try
            {
                while (Offset < length)
                {
                    _file.Position = Offset;
                    var count = _file.Read(buffer, 0, (int)Math.Min(length - Offset, buffer.Length));
                    var end = buffer.AsSpan(0, count).LastIndexOf((byte)'\n') + 1;
                    // An offset that somebody made up, or a log that was cut off: the rest is one line.
                    if (end == 0)
                        end = count;
                    if (end == 0)
                        yield break;
                    var begin = 0;
                    while (begin < end)
                    {
                        var next = buffer.AsSpan(begin, end - begin).IndexOf((byte)'\n');
                        var stop = next < 0 ? end : begin + next;
                        var text = Encoding.UTF8.GetString(buffer, begin, stop - begin);
                        Offset += stop - begin + (next < 0 ? 0 : 1);
                        begin = next < 0 ? end : stop + 1;
                        yield return new TaskNews { Offset = Offset, Line = text };
                    }
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }

        public void Dispose() => _file.Dispose();
    }
}
