using System.Collections.Immutable;

namespace Gantry.Hcl.Syntax;

/// <summary>
/// Splits a text into tokens that cover it without gap or overlap, comments and blanks included. It never fails:
/// what fits nowhere becomes <see cref="TokenKind.Invalid"/>, for the parser to report.
/// </summary>
public static class Lexer
{
    /// <summary>The tokens of a configuration file or of an expression.</summary>
    public static ImmutableArray<Token> Tokenize(string text) => new Scanner(text, bareTemplate: false).Run();

    /// <summary>The tokens of a bare template: text with interpolations and directives, without quotes.</summary>
    public static ImmutableArray<Token> TokenizeTemplate(string text) => new Scanner(text, bareTemplate: true).Run();

    private enum ModeKind
    {
        Normal,
        Quoted,
        Heredoc,
        Bare,
    }

    // Depth counts the braces open in a Normal mode; Closes says that a brace at depth 0 ends a template sequence.
    private sealed class Mode(ModeKind kind, bool closes = false, string marker = "")
    {
        public ModeKind Kind { get; } = kind;

        public bool Closes { get; } = closes;

        public string Marker { get; } = marker;

        public int Depth { get; set; }
    }

    private sealed class Scanner
    {
        private readonly string _text;
        private readonly ImmutableArray<Token>.Builder _tokens = ImmutableArray.CreateBuilder<Token>();
        private readonly Stack<Mode> _modes = new();
        private int _at;

        public Scanner(string text, bool bareTemplate)
        {
            _text = text;
            _modes.Push(new Mode(bareTemplate ? ModeKind.Bare : ModeKind.Normal));
        }

        private char Current => _at < _text.Length ? _text[_at] : '\0';

        private char Next => _at + 1 < _text.Length ? _text[_at + 1] : '\0';

        public ImmutableArray<Token> Run()
        {
            if (Current == '\uFEFF')
                Emit(TokenKind.Whitespace, 1);
            while (_at < _text.Length)
            {
                var mode = _modes.Peek();
                if (mode.Kind == ModeKind.Normal)
                    ScanNormal(mode);
                else
                    ScanTemplate(mode);
            }
            Emit(TokenKind.EndOfFile, 0);
            return _tokens.ToImmutable();
        }

        private void Emit(TokenKind kind, int length)
        {
            _tokens.Add(new Token(kind, _at, _at + length));
            _at += length;
        }

        private void ScanNormal(Mode mode)
        {
            var c = Current;
            if (c is ' ' or '\t')
            {
                var end = _at;
                while (end < _text.Length && _text[end] is ' ' or '\t')
                    end++;
                Emit(TokenKind.Whitespace, end - _at);
            }
            else if (c == '\n')
            {
                Emit(TokenKind.Newline, 1);
            }
            else if (c == '\r' && Next == '\n')
            {
                Emit(TokenKind.Newline, 2);
            }
            else if (c == '#' || (c == '/' && Next is '/' or '*'))
            {
                ScanComment();
            }
            else if (char.IsAsciiDigit(c))
            {
                Emit(TokenKind.Number, NumberLength());
            }
            else if (Identifiers.LengthAt(_text, _at) is > 0 and var length)
            {
                Emit(TokenKind.Identifier, length);
            }
            else if (c == '"')
            {
                Emit(TokenKind.OpenQuote, 1);
                _modes.Push(new Mode(ModeKind.Quoted));
            }
            else if (c != '<' || Next != '<' || !ScanHeredocStart())
            {
                ScanPunctuation(mode, c);
            }
        }

        private void ScanComment()
        {
            if (Next == '*')
            {
                var close = _text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
                if (close < 0)
                    Emit(TokenKind.Invalid, _text.Length - _at);
                else
                    Emit(TokenKind.Comment, close + 2 - _at);
                return;
            }
            var end = _text.IndexOf('\n', _at);
            end = end < 0 ? _text.Length : end;
            if (end > _at && end < _text.Length && _text[end - 1] == '\r')
                end--;
            Emit(TokenKind.Comment, end - _at);
        }

        private int NumberLength()
        {
            var end = Digits(_at);
            if (end + 1 < _text.Length && _text[end] == '.' && char.IsAsciiDigit(_text[end + 1]))
                end = Digits(end + 1);
            if (end < _text.Length && _text[end] is 'e' or 'E')
            {
                var exponent = end + 1;
                if (exponent < _text.Length && _text[exponent] is '+' or '-')
                    exponent++;
                var after = Digits(exponent);
                if (after > exponent)
                    end = after;
            }
            return end - _at;
        }

        private int Digits(int from)
        {
            while (from < _text.Length && char.IsAsciiDigit(_text[from]))
                from++;
            return from;
        }

        // <<MARKER or <<-MARKER up to the end of its line. Blanks after the marker are tolerated.
        private bool ScanHeredocStart()
        {
            var name = _at + 2;
            if (name < _text.Length && _text[name] == '-')
                name++;
            var length = Identifiers.LengthAt(_text, name);
            if (length == 0)
                return false;
            var end = name + length;
            while (end < _text.Length && _text[end] is ' ' or '\t')
                end++;
            if (end < _text.Length && _text[end] == '\r')
                end++;
            if (end >= _text.Length || _text[end] != '\n')
                return false;
            var marker = _text.Substring(name, length);
            Emit(TokenKind.OpenHeredoc, end + 1 - _at);
            _modes.Push(new Mode(ModeKind.Heredoc, marker: marker));
            TryCloseHeredoc(marker);
            return true;
        }

        private void ScanPunctuation(Mode mode, char c)
        {
            if (c == '{')
            {
                mode.Depth++;
                Emit(TokenKind.OpenBrace, 1);
                return;
            }
            if (mode.Closes && mode.Depth == 0 && (c == '}' || (c == '~' && Next == '}')))
            {
                Emit(TokenKind.CloseSequence, c == '}' ? 1 : 2);
                _modes.Pop();
                return;
            }
            if (c == '}')
            {
                mode.Depth = Math.Max(0, mode.Depth - 1);
                Emit(TokenKind.CloseBrace, 1);
                return;
            }
            if (c == '.' && Next == '.' && _at + 2 < _text.Length && _text[_at + 2] == '.')
            {
                Emit(TokenKind.Ellipsis, 3);
                return;
            }
            var pair = Pair(c, Next);
            if (pair != TokenKind.Invalid)
            {
                Emit(pair, 2);
                return;
            }
            var single = Single(c);
            var width = single == TokenKind.Invalid && char.IsHighSurrogate(c) && char.IsLowSurrogate(Next) ? 2 : 1;
            Emit(single, width);
        }

        private static TokenKind Pair(char c, char next) => (c, next) switch
        {
            ('=', '=') => TokenKind.Equal,
            ('=', '>') => TokenKind.FatArrow,
            ('!', '=') => TokenKind.NotEqual,
            ('<', '=') => TokenKind.LessOrEqual,
            ('>', '=') => TokenKind.GreaterOrEqual,
            ('&', '&') => TokenKind.And,
            ('|', '|') => TokenKind.Or,
            (':', ':') => TokenKind.DoubleColon,
            _ => TokenKind.Invalid,
        };

        private static TokenKind Single(char c) => c switch
        {
            '[' => TokenKind.OpenBracket,
            ']' => TokenKind.CloseBracket,
            '(' => TokenKind.OpenParenthesis,
            ')' => TokenKind.CloseParenthesis,
            ',' => TokenKind.Comma,
            '.' => TokenKind.Dot,
            '=' => TokenKind.Assign,
            ':' => TokenKind.Colon,
            '?' => TokenKind.Question,
            '<' => TokenKind.Less,
            '>' => TokenKind.Greater,
            '!' => TokenKind.Not,
            '+' => TokenKind.Plus,
            '-' => TokenKind.Minus,
            '*' => TokenKind.Star,
            '/' => TokenKind.Slash,
            '%' => TokenKind.Percent,
            _ => TokenKind.Invalid,
        };

        private void ScanTemplate(Mode mode)
        {
            var c = Current;
            if (mode.Kind == ModeKind.Quoted && c == '"')
            {
                Emit(TokenKind.CloseQuote, 1);
                _modes.Pop();
                return;
            }
            if (mode.Kind == ModeKind.Quoted && (c == '\n' || (c == '\r' && Next == '\n')))
            {
                // The string was never closed. Going back to the mode around it keeps the rest of the file readable.
                _modes.Pop();
                return;
            }
            if (c is '$' or '%' && Next == '{')
            {
                var trims = _at + 2 < _text.Length && _text[_at + 2] == '~';
                Emit(c == '$' ? TokenKind.OpenInterpolation : TokenKind.OpenDirective, trims ? 3 : 2);
                _modes.Push(new Mode(ModeKind.Normal, closes: true));
                return;
            }
            ScanTemplateText(mode);
        }

        private void ScanTemplateText(Mode mode)
        {
            var end = _at;
            while (end < _text.Length)
            {
                var c = _text[end];
                if (mode.Kind == ModeKind.Quoted)
                {
                    if (c is '"' or '\n' || (c == '\r' && end + 1 < _text.Length && _text[end + 1] == '\n'))
                        break;
                    if (c == '\\' && end + 1 < _text.Length && _text[end + 1] is not ('\n' or '\r'))
                    {
                        end += 2;
                        continue;
                    }
                }
                if (c is '$' or '%')
                {
                    // A doubled introducer is an escape and stays text.
                    if (string.CompareOrdinal(_text, end, c == '$' ? "$${" : "%%{", 0, 3) == 0)
                    {
                        end += 3;
                        continue;
                    }
                    if (end + 1 < _text.Length && _text[end + 1] == '{')
                        break;
                }
                end++;
                if (mode.Kind != ModeKind.Quoted && c == '\n')
                {
                    // One token a line: trimming and the removal of indentation work by lines.
                    Emit(TokenKind.TemplateText, end - _at);
                    if (mode.Kind == ModeKind.Heredoc)
                        TryCloseHeredoc(mode.Marker);
                    return;
                }
            }
            Emit(mode.Kind == ModeKind.Quoted ? TokenKind.QuotedText : TokenKind.TemplateText, end - _at);
        }

        // At the start of a line of a heredoc: is this line the closing marker?
        private void TryCloseHeredoc(string marker)
        {
            var start = _at;
            while (start < _text.Length && _text[start] is ' ' or '\t')
                start++;
            if (string.CompareOrdinal(_text, start, marker, 0, marker.Length) != 0)
                return;
            var end = start + marker.Length;
            var rest = end;
            while (rest < _text.Length && _text[rest] is ' ' or '\t' or '\r')
                rest++;
            if (rest < _text.Length && _text[rest] != '\n')
                return;
            Emit(TokenKind.CloseHeredoc, end - _at);
            _modes.Pop();
        }
    }
}
