using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Gantry.Engines.Keyboard;

namespace Gantry.Imaging.BootCommand;

/// <summary>
/// Reads Packer's grammar: a wait, a character held or released, a special key, or else a character to type. What
/// looks like a key but is none is typed letter by letter, as Packer does, with a warning. Ours on top are
/// <c>waitFor</c> and <c>waitForSerial</c>, where a mistake is an error.
/// </summary>
internal sealed partial class BootCommandParser(
    string text, Func<int, BootPosition> place, BootCommandOptions options)
{
    private readonly ImmutableArray<BootAction>.Builder _actions = ImmutableArray.CreateBuilder<BootAction>();
    private readonly ImmutableArray<BootDiagnostic>.Builder _diagnostics =
        ImmutableArray.CreateBuilder<BootDiagnostic>();

    private readonly StringBuilder _typed = new();
    private readonly List<KeyStroke> _strokes = [];
    private int _typedFrom;
    private int _at;

    public ImmutableArray<BootAction> Actions => _actions.ToImmutable();

    public ImmutableArray<BootDiagnostic> Diagnostics => _diagnostics.ToImmutable();

    public void Run()
    {
        while (_at < text.Length)
        {
            if (text[_at] != '<' || !(Waits() || WaitsFor() || Holds() || Special()))
                Literal();
        }
        Flush();
    }

    /// <summary><c>&lt;wait&gt;</c>, <c>&lt;wait10&gt;</c>, <c>&lt;wait1m30s&gt;</c></summary>
    private bool Waits()
    {
        var match = WaitTag().Match(text, _at);
        if (!match.Success)
            return false;
        var time = TimeSpan.FromSeconds(1);
        var seconds = match.Groups["seconds"];
        var duration = match.Groups["duration"];
        if (seconds.Success)
        {
            if (!double.TryParse(seconds.ValueSpan, CultureInfo.InvariantCulture, out var s) || s > 366 * 86400.0)
                Error(_at, $"a wait of {seconds.Value} seconds is longer than a year");
            else
                time = TimeSpan.FromSeconds(s);
        }
        else if (duration.Success && !GoTime.TryParseDuration(duration.ValueSpan, out time))
            Error(_at, $"'{duration.Value}' is not a time; expected for example 10, 90s or 1m30s");
        if (time <= TimeSpan.Zero)
            Error(_at, $"expected a wait of more than nothing, found {match.Value}");
        Add(new BootAction.Wait(time) { At = place(_at) }, match.Length);
        return true;
    }

    /// <summary><c>&lt;waitFor 'text' 60s&gt;</c>, <c>&lt;waitForSerial 'regex' 60s&gt;</c></summary>
    private bool WaitsFor()
    {
        var match = WaitForTag().Match(text, _at);
        if (!match.Success)
            return false;
        var start = _at;
        var serial = match.Groups["serial"].Success;
        var name = serial ? "waitForSerial" : "waitFor";
        var at = _at + match.Length;
        var wanted = $"expected <{name} '{(serial ? "regular expression" : "text")}' 60s>";
        if (at >= text.Length || text[at] is not ('\'' or '"'))
        {
            Error(start, $"{wanted}, found no quote after '{name}'");
            Skip(start, at);
            return true;
        }
        var value = Quoted(ref at, keepEscapes: serial);
        if (value is null)
        {
            Skip(start, text.Length);
            return true;
        }
        var close = text.AsSpan(at).IndexOfAny('<', '>');
        close = close < 0 || text[at + close] == '<' ? -1 : at + close;
        var time = close < 0 ? "" : text[at..close].Trim();
        var timeout = options.DefaultTimeout;
        if (close < 0)
            Error(start, $"{wanted}, found no closing '>'");
        else if (time.Length > 0 && !Timeout(time, out timeout))
            Error(at, $"'{time}' is not a time; expected for example 60, 90s or 1m30s before '>'");
        if (value.Trim().Length == 0)
            Error(start, $"{wanted}, found an empty text");
        else if (serial)
            CheckPattern(value, start);
        var length = (close < 0 ? at : close + 1) - start;
        BootAction action = serial
            ? new BootAction.WaitForSerial(value, timeout) { At = place(start) }
            : new BootAction.WaitForScreen(value, timeout) { At = place(start) };
        Add(action, length);
        return true;
    }

    private static bool Timeout(string time, out TimeSpan timeout)
    {
        if (int.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            timeout = TimeSpan.FromSeconds(seconds);
        else if (!GoTime.TryParseDuration(time, out timeout))
            return false;
        return timeout > TimeSpan.Zero;
    }

    private void CheckPattern(string pattern, int at)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.CultureInvariant);
        }
        catch (RegexParseException e)
        {
            Error(at, $"not a regular expression: {e.Message}");
        }
    }

    /// <param name="keepEscapes">Leaves backslashes to the regular expression, except before the quote.</param>
    private string? Quoted(ref int at, bool keepEscapes)
    {
        var open = at;
        var quote = text[at++];
        var value = new StringBuilder();
        while (at < text.Length && text[at] != quote)
        {
            var c = text[at++];
            if (c != '\\' || at >= text.Length)
            {
                value.Append(c);
                continue;
            }
            var escaped = text[at++];
            if (keepEscapes && escaped != quote)
                value.Append(c).Append(escaped);
            else if (escaped is '\\' or '\'' or '"')
                value.Append(escaped);
            else if (escaped is 'n' or 't')
                value.Append(escaped == 'n' ? '\n' : '\t');
            else
                Error(at - 2, $"unknown escape '\\{escaped}'; there are \\\\, \\', \\\", \\n and \\t");
        }
        if (at >= text.Length)
        {
            Error(open, $"this {quote} has no closing {quote}");
            return null;
        }
        at++;
        return value.ToString();
    }

    /// <summary><c>&lt;aOn&gt;</c>, <c>&lt;aOff&gt;</c>: any one character.</summary>
    private bool Holds()
    {
        if (_at + 1 >= text.Length || Rune.DecodeFromUtf16(text.AsSpan(_at + 1), out var c, out var length) != 0)
            return false;
        var tail = text.AsSpan(_at + 1 + length);
        var on = tail.StartsWith("on>", StringComparison.OrdinalIgnoreCase);
        if (!on && !tail.StartsWith("off>", StringComparison.OrdinalIgnoreCase))
            return false;
        var all = 1 + length + (on ? 3 : 4);
        if (!options.Layout.TryGet(c, out var strokes))
            Error(_at, options.Layout.Lacks(c));
        else if (strokes.Length > 1)
            Error(_at, $"'{c}' cannot be held: on the layout '{options.Layout.Name}' it takes two keys");
        else
        {
            var down = strokes[0].Events(new HashSet<string>()).Where(e => e.Down).Select(e => e.Key);
            Add(Toggle(c.ToString(), on, on ? down : down.Reverse()), all);
            return true;
        }
        _at += all;
        return true;
    }

    /// <summary>
    /// <c>&lt;enter&gt;</c>, <c>&lt;leftShiftOn&gt;</c>, <c>&lt;leftShiftOff&gt;</c>, whatever the case.
    /// </summary>
    private bool Special()
    {
        var match = KeyTag().Match(text, _at);
        if (!match.Success)
            return false;
        var word = match.Groups["word"].Value;
        if (SpecialKeys.TryGet(word, out var key))
        {
            Add(new BootAction.Press(word, key) { At = place(_at) }, match.Length);
            return true;
        }
        var on = word.EndsWith("on", StringComparison.OrdinalIgnoreCase);
        if ((on || word.EndsWith("off", StringComparison.OrdinalIgnoreCase))
            && SpecialKeys.TryGet(word[..^(on ? 2 : 3)], out key))
        {
            Add(Toggle(word[..^(on ? 2 : 3)], on, [key]), match.Length);
            return true;
        }
        Warn(_at, $"{match.Value} is no key and will be typed letter by letter" +
            (SpecialKeys.Nearest(word) is { } near ? $"; did you mean <{near}>?" : ""));
        return false;
    }

    private BootAction Toggle(string name, bool on, IEnumerable<string> keys) => on
        ? new BootAction.Hold(name, [.. keys]) { At = place(_at) }
        : new BootAction.Release(name, [.. keys]) { At = place(_at) };

    private void Literal()
    {
        if (Rune.DecodeFromUtf16(text.AsSpan(_at), out var c, out var length) != 0)
            Error(_at, "this is half of a character");
        else if (!options.Layout.TryGet(c, out var strokes))
            Error(_at, options.Layout.Lacks(c));
        else
        {
            if (_typed.Length == 0)
                _typedFrom = _at;
            _typed.Append(text, _at, length);
            _strokes.AddRange(strokes);
        }
        _at += length;
    }

    private void Add(BootAction action, int length)
    {
        Flush();
        _actions.Add(action);
        _at += length;
    }

    private void Flush()
    {
        if (_typed.Length == 0)
            return;
        _actions.Add(new BootAction.Type(_typed.ToString(), [.. _strokes]) { At = place(_typedFrom) });
        _typed.Clear();
        _strokes.Clear();
    }

    /// <summary>After an error: goes on behind the tag, so that one mistake gives one message.</summary>
    private void Skip(int start, int from)
    {
        var close = text.IndexOf('>', Math.Min(Math.Max(start, from), text.Length));
        _at = close < 0 ? text.Length : close + 1;
    }

    private void Error(int at, string message) => _diagnostics.Add(new(true, place(at), message));

    private void Warn(int at, string message) => _diagnostics.Add(new(false, place(at), message));

    [GeneratedRegex(
        @"\G<wait(?:(?<duration>(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))+)|(?<seconds>0|[1-9][0-9]*))?>")]
    private static partial Regex WaitTag();

    [GeneratedRegex(@"\G<waitFor(?<serial>Serial)?(?:\s+|(?=['"">]))", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex WaitForTag();

    [GeneratedRegex(@"\G<(?<word>[A-Za-z][A-Za-z0-9]{0,30})>")]
    private static partial Regex KeyTag();
}
