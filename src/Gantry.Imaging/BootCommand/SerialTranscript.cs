using System.Text;
using System.Text.RegularExpressions;

namespace Gantry.Imaging.BootCommand;

/// <summary>
/// The last part of what a serial line said, as text without terminal control sequences. One side appends what it
/// reads, the other waits for patterns. Safe for both at once.
/// </summary>
public sealed partial class SerialTranscript
{
    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly int _capacity;
    private readonly StringBuilder _raw = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _waitedUpTo;

    /// <param name="capacity">How many characters are kept.</param>
    public SerialTranscript(int capacity = 256 * 1024) => _capacity = capacity;

    /// <summary>What is kept of the text.</summary>
    public string Text
    {
        get
        {
            lock (_gate)
                return _text.ToString();
        }
    }

    /// <summary>Adds bytes as the line gave them; a character or sequence may be cut anywhere.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        TaskCompletionSource more;
        lock (_gate)
        {
            var characters = new char[_decoder.GetCharCount(bytes, flush: false)];
            var count = _decoder.GetChars(bytes, characters, flush: false);
            _raw.Append(characters, 0, count);
            _text.Append(TakeClean());
            var excess = _text.Length - _capacity;
            if (excess > 0)
            {
                _text.Remove(0, excess);
                _waitedUpTo = Math.Max(0, _waitedUpTo - excess);
            }
            more = _more;
            _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        more.SetResult();
    }

    /// <summary>
    /// Waits until what was said since the last successful wait matches, and goes on behind the match: the same
    /// prompt can be waited for again.
    /// </summary>
    /// <exception cref="RegexMatchTimeoutException">The expression takes too long on this text.</exception>
    public async Task WaitForAsync(Regex pattern, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task more;
            lock (_gate)
            {
                var said = _text.ToString(_waitedUpTo, _text.Length - _waitedUpTo);
                var match = pattern.Match(said);
                if (match.Success)
                {
                    _waitedUpTo += match.Index + match.Length;
                    return;
                }
                more = _more.Task;
            }
            await more.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Takes the raw text without control sequences, and leaves an unfinished one at the end for later.
    /// </summary>
    private string TakeClean()
    {
        var raw = _raw.ToString();
        var escape = raw.LastIndexOf('\e');
        var end = escape >= 0 && raw.Length - escape < 64 && !Sequence().IsMatch(raw[escape..]) ? escape : raw.Length;
        _raw.Clear().Append(raw, end, raw.Length - end);
        return Control().Replace(Sequence().Replace(raw[..end], ""), "");
    }

    /// <summary>ECMA-48 control sequences, operating system commands, and two-byte escapes.</summary>
    [GeneratedRegex(@"\e(?:\[[0-?]*[ -/]*[@-~]|\][^\a\e]*(?:\a|\e\\)|[ -/]*[0-Z\\^-~])")]
    private static partial Regex Sequence();

    [GeneratedRegex(@"[\x00-\x08\x0b-\x1f\x7f]")]
    private static partial Regex Control();
}
