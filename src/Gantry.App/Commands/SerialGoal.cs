using System.Text;
using System.Text.RegularExpressions;
using Gantry.App.Output;
using Gantry.Model;

namespace Gantry.App.Commands;

/// <summary>Looks for a line in what a machine says on its serial console, from its start on.</summary>
internal sealed class SerialGoal(string path, Regex pattern)
{
    /// <summary>A guest may write for ever without a line's end.</summary>
    private const int LongestLine = 8 * 1024;

    /// <summary>A pattern that looks for longer at one line is a mistake.</summary>
    private static readonly TimeSpan MatchLimit = TimeSpan.FromSeconds(1);

    private readonly StringBuilder _open = new();
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private long _position;

    /// <summary>The line that was looked for.</summary>
    public string? Line { get; private set; }

    /// <summary>The newest line that was not empty.</summary>
    public string Last { get; private set; } = "nothing";

    /// <exception cref="ProblemException">It is no regular expression.</exception>
    public static Regex Parse(string text)
    {
        try
        {
            return text.Length > 0
                ? new Regex(text, RegexOptions.CultureInvariant, MatchLimit)
                : throw new ProblemException(ProblemKind.InvalidInput, "serial: names no text to wait for", "write for example serial:login:");
        }
        catch (ArgumentException e)
        {
            throw new ProblemException(ProblemKind.InvalidInput, $"'{text}' is no regular expression: {e.Message}", inner: e);
        }
    }

    /// <summary>Reads what was added; whether the line is there now.</summary>
    public bool Look()
    {
        if (Line is not null || !File.Exists(path))
            return Line is not null;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        // Shorter than what was read: it was cut to its bound.
        if (file.Length < _position)
            _position = 0;
        file.Position = _position;
        var bytes = new byte[16 * 1024];
        var text = new char[16 * 1024 + 2];
        int count;
        while (Line is null && (count = file.Read(bytes)) > 0)
        {
            _position += count;
            Take(text.AsSpan(0, _decoder.GetChars(bytes.AsSpan(0, count), text, flush: false)));
        }

        // A prompt has no line's end.
        if (Line is null && _open.Length > 0)
            Match(_open.ToString());
        return Line is not null;
    }

    private void Take(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (Line is not null)
                return;
            if (c is not '\n' and not '\r')
                _open.Append(c);
            if (c == '\n' || _open.Length >= LongestLine)
            {
                Match(_open.ToString());
                _open.Clear();
            }
        }
    }

    private void Match(string line)
    {
        var clean = DisplayText.Clean(line).Trim();
        if (clean.Length > 0)
            Last = clean;
        try
        {
            if (pattern.IsMatch(clean))
                Line = clean;
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"the pattern /{pattern}/ takes too long on one line", "write it without nested repetitions", inner: e);
        }
    }
}
