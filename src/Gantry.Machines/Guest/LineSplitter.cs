using System.Text;

namespace Gantry.Machines.Guest;

/// <summary>
/// Makes lines of a stream of bytes that claims to be UTF-8. Bytes that are not become U+FFFD. A line ends with LF,
/// CR LF or a lone CR (a progress bar's), and is cut when it exceeds the limit, never within a character.
/// </summary>
public sealed class LineSplitter
{
    /// <summary>In UTF-16 code units.</summary>
    public const int DefaultMaxLength = 16 * 1024;

    private readonly Action<string> _onLine;
    private readonly int _maxLength;
    private readonly Decoder _decoder = new UTF8Encoding(false, throwOnInvalidBytes: false).GetDecoder();
    private readonly StringBuilder _line = new();
    private readonly char[] _chars = new char[4096];
    private bool _carriageReturn;

    public LineSplitter(Action<string> onLine, int maxLength = DefaultMaxLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        _onLine = onLine;
        _maxLength = maxLength;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            _decoder.Convert(bytes, _chars, flush: false, out var bytesUsed, out var charsUsed, out _);
            bytes = bytes[bytesUsed..];
            Take(_chars.AsSpan(0, charsUsed));
        }
    }

    /// <summary>Gives out what is left after the last line end.</summary>
    public void Finish()
    {
        _decoder.Convert([], _chars, flush: true, out _, out var charsUsed, out _);
        Take(_chars.AsSpan(0, charsUsed));
        if (_line.Length > 0 || _carriageReturn)
            Emit();
        _carriageReturn = false;
    }

    private void Take(ReadOnlySpan<char> chars)
    {
        foreach (var c in chars)
        {
            if (_carriageReturn)
            {
                _carriageReturn = false;
                Emit();
                if (c == '\n')
                    continue;
            }

            if (c == '\r')
                _carriageReturn = true;
            else if (c == '\n')
                Emit();
            else
                Append(c);
        }
    }

    private void Append(char c)
    {
        if (_line.Length >= _maxLength && !char.IsLowSurrogate(c))
            Emit();
        _line.Append(c);
    }

    private void Emit()
    {
        _onLine(_line.ToString());
        _line.Clear();
    }
}
