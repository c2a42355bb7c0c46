using System.Globalization;
using System.Text;
using Gantry.Storage;

namespace Gantry.Machines.Guest;

/// <summary>
/// Takes a login shell's output and hands it on without the marks of <see cref="GuestLoginShell"/>, and without the echo
/// of the line that began the script.
/// </summary>
internal sealed class LoginShellOutput : WriteOnlyStream
{
    /// <summary>A server's greeting may be long, but nothing is held back without end.</summary>
    private const int LongestGreeting = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly string _id;
    private readonly byte[] _begin;
    private readonly byte[] _end;
    private readonly Stream _output;
    private readonly List<byte> _held = [];
    private bool _began;
    private bool _ended;

    public LoginShellOutput(string id, Stream output)
    {
        _id = id;
        _output = output;
        _begin = Encoding.ASCII.GetBytes($"\e]gantry;{id};begin\a");
        _end = Encoding.ASCII.GetBytes($"\e]gantry;{id};end;");
    }

    /// <summary>Null until the shell has said it.</summary>
    public int? ExitCode { get; private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        lock (_gate)
        {
            if (_ended)
                return;
            _held.AddRange(buffer);
            if (!_began)
                Greet();
            if (_began)
                Pass();
        }
    }

    public override void Flush() => _output.Flush();

    /// <summary>The script does not begin: what was held back is shown, and everything after it as it is.</summary>
    public void GiveUp()
    {
        lock (_gate)
        {
            if (_began)
                return;
            _began = true;
            Pass();
            _output.Flush();
        }
    }

    /// <summary>Nothing more comes.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            if (!_ended)
                Release(_held.Count);
            _output.Flush();
        }
    }

    /// <summary>
    /// Looks for the first mark; whole lines before it that are not the echo are the server's greeting.
    /// </summary>
    private void Greet()
    {
        var text = Held();
        var at = text.IndexOf(_begin);
        if (at < 0)
        {
            if (_held.Count > LongestGreeting)
                _began = true;
            return;
        }

        var lines = text[..at];
        int end;
        while ((end = lines.IndexOf((byte)'\n')) >= 0)
        {
            if (lines[..end].IndexOf(Encoding.ASCII.GetBytes(_id)) < 0)
                _output.Write(lines[..(end + 1)]);
            lines = lines[(end + 1)..];
        }

        _held.RemoveRange(0, at + _begin.Length);
        _began = true;
    }

    /// <summary>Hands on all that can't be the beginning of the last mark.</summary>
    private void Pass()
    {
        var text = Held();
        var at = text.IndexOf(_end);
        if (at < 0)
        {
            Release(_held.Count - PartLength(text));
            return;
        }

        var rest = text[(at + _end.Length)..];
        var bell = rest.IndexOf((byte)'\a');
        if (bell < 0 && rest.Length < 16)
        {
            Release(at);
            return;
        }

        if (bell >= 0 && int.TryParse(rest[..bell], NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            ExitCode = code;
        Release(at);
        _held.Clear();
        _ended = true;
    }

    /// <summary>How many bytes at the end of the text are a beginning of the mark.</summary>
    private int PartLength(ReadOnlySpan<byte> text)
    {
        for (var length = Math.Min(_end.Length - 1, text.Length); length > 0; length--)
        {
            if (text.EndsWith(_end.AsSpan(0, length)))
                return length;
        }

        return 0;
    }

    private void Release(int count)
    {
        if (count <= 0)
            return;
        _output.Write(Held()[..count]);
        _held.RemoveRange(0, count);
    }

    private ReadOnlySpan<byte> Held() => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_held);
}
