using System.Text;

namespace Gantry.Storage.Media;

/// <summary>A word of a GRUB script with its place.</summary>
/// <param name="Value">The word without quotes; variables stay as they are written.</param>
/// <param name="HasVariable">The value is known only when the script runs.</param>
internal readonly record struct GrubWord(int Start, int End, string Value, bool HasVariable);

/// <summary>A command with its words, and the commands in the braces behind it.</summary>
internal sealed class GrubCommand
{
    public List<GrubWord> Words { get; } = [];

    /// <summary>Null without braces.</summary>
    public List<GrubCommand>? Body { get; set; }

    /// <summary>Offset of the opening brace.</summary>
    public int BraceStart { get; set; }

    public string Name => Words.Count > 0 ? Words[0].Value : "";
}

/// <summary>
/// Parses GRUB's script language as far as braces, quotes, comments and command ends go (manual, "Writing full
/// configuration files directly"; lexer in grub-core/script/yylex.l). "if", "while" and "for" are commands like others
/// here: what stands in them is at the level of what stands around them, as their branches' entries are in the menu.
/// </summary>
internal sealed class GrubScriptParser(string text, string path)
{
    private const int MaxNesting = 64;
    private int _at;

    public static List<GrubCommand> Parse(string text, string path)
    {
        var parser = new GrubScriptParser(text, path);
        List<GrubCommand> commands = parser.Commands(0);
        if (parser._at < text.Length) throw parser.Broken("a '}' without its '{'");
        return commands;
    }

    private List<GrubCommand> Commands(int nesting)
    {
        if (nesting > MaxNesting) throw Broken($"more than {MaxNesting} braces inside each other");
        var commands = new List<GrubCommand>();
        var current = new GrubCommand();
        while (_at < text.Length)
        {
            char c = text[_at];
            if (c == '}') break;
            if (c is ' ' or '\t' or '\r') _at++;
            else if (c == '\\' && IsNewLine(_at + 1)) _at += text[_at + 1] == '\r' ? 3 : 2;
            else if (c is '\n' or ';' or '&' or '|')
            {
                _at++;
                Finish();
            }
            else if (c == '#') SkipComment();
            else if (c == '{')
            {
                current.BraceStart = _at++;
                current.Body = Commands(nesting + 1);
                if (_at >= text.Length) throw Broken("a '{' without its '}'");
                _at++;
                Finish();
            }
            else
            {
                GrubWord word = Word();
                // These end a command without needing a ';' before what follows them.
                bool keyword = current.Words.Count == 0
                    && word.Value is "if" or "then" or "else" or "elif" or "do" or "while" or "until";
                current.Words.Add(word);
                if (keyword) Finish();
            }
        }
        Finish();
        return commands;

        void Finish()
        {
            if (current.Words.Count > 0 || current.Body is not null) commands.Add(current);
            current = new GrubCommand();
        }
    }

    private bool IsNewLine(int at) =>
        at < text.Length && (text[at] == '\n' || (text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n'));

    private void SkipComment()
    {
        while (_at < text.Length && text[_at] != '\n') _at++;
    }

    private GrubWord Word()
    {
        int start = _at;
        var value = new StringBuilder();
        bool variable = false;
        while (_at < text.Length && !" \t\r\n;&|{}<>".Contains(text[_at], StringComparison.Ordinal))
        {
            char c = text[_at];
            if (c == '\\')
            {
                if (IsNewLine(_at + 1)) break;
                if (_at + 1 < text.Length) value.Append(text[_at + 1]);
                _at = Math.Min(text.Length, _at + 2);
            }
            else if (c == '\'') SingleQuoted(value);
            else if (c == '"') variable |= DoubleQuoted(value);
            else if (c == '$') variable |= Variable(value);
            else
            {
                value.Append(c);
                _at++;
            }
        }
        // A redirection sign that begins nothing known: taken as a word, so that the parser always goes on.
        if (_at == start) value.Append(text[_at++]);
        return new GrubWord(start, _at, value.ToString(), variable);
    }

    private void SingleQuoted(StringBuilder value)
    {
        int end = text.IndexOf('\'', _at + 1);
        if (end < 0) throw Broken("a quote without its end");
        value.Append(text, _at + 1, end - _at - 1);
        _at = end + 1;
    }

    private bool DoubleQuoted(StringBuilder value)
    {
        bool variable = false;
        for (_at++; _at < text.Length && text[_at] != '"';)
        {
            if (text[_at] == '\\' && _at + 1 < text.Length)
            {
                // Inside quotes a backslash only protects these; elsewhere it stands for itself.
                if (!"\"\\$\n".Contains(text[_at + 1], StringComparison.Ordinal)) value.Append('\\');
                if (text[_at + 1] != '\n') value.Append(text[_at + 1]);
                _at += 2;
            }
            else if (text[_at] == '$') variable |= Variable(value);
            else value.Append(text[_at++]);
        }
        if (_at >= text.Length) throw Broken("a quote without its end");
        _at++;
        return variable;
    }

    private bool Variable(StringBuilder value)
    {
        int start = _at++;
        if (_at >= text.Length)
        {
            value.Append('$');
            return false;
        }
        if (text[_at] == '{')
        {
            int end = text.IndexOf('}', _at);
            if (end < 0) throw Broken("a '${' without its '}'");
            _at = end + 1;
        }
        else if (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_')
        {
            while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_')) _at++;
        }
        else if ("?@*#".Contains(text[_at], StringComparison.Ordinal))
        {
            _at++;
        }
        else
        {
            // $"..." is a translated string, $'...' likewise: the quoted text is the value. A lone $ is itself.
            if (text[_at] is not ('"' or '\'')) value.Append('$');
            return false;
        }
        value.Append(text, start, _at - start);
        return true;
    }

    private MediaException Broken(string what)
    {
        int line = 1 + text.AsSpan(0, Math.Min(_at, text.Length)).Count('\n');
        return new MediaException($"'{path}' cannot be changed: line {line} has {what}");
    }
}
