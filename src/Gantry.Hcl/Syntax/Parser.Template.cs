using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Syntax;

/// <summary>The template language: quoted strings, heredocs and bare templates.</summary>
internal sealed partial class Parser
{
    public Expression ParseWholeTemplate() => ParseTemplate(0, TokenKind.EndOfFile, removesIndentation: false);

    private enum PartKind
    {
        Text,
        Interpolation,
        If,
        Else,
        EndIf,
        For,
        EndFor,
        End,
    }

    // A flat piece of a template, before directives are matched with their ends.
    private sealed class Part
    {
        public required PartKind Kind { get; init; }

        public required SourceSpan Span { get; init; }

        public string Text { get; set; } = "";

        public Expression? Expression { get; init; }

        public string? KeyName { get; init; }

        public string ValueName { get; init; } = "";
    }

    private Expression ParseQuoted()
    {
        var open = Take();
        return ParseTemplate(open.Start, TokenKind.CloseQuote, removesIndentation: false);
    }

    private Expression ParseHeredoc()
    {
        var open = Take();
        return ParseTemplate(open.Start, TokenKind.CloseHeredoc, _file.Text[open.Start + 2] == '-');
    }

    private Expression ParseTemplate(int start, TokenKind end, bool removesIndentation)
    {
        // A template's own line ends are inside its text tokens; any other one is where a string broke off.
        var before = EnterLines(newlinesMatter: true);
        var parts = ReadParts(start, end);
        LeaveLines(before);
        var span = SpanFrom(start);
        if (_failed)
            return new ErrorExpression(span);
        if (removesIndentation)
            RemoveIndentation(parts);
        if (parts is [{ Kind: PartKind.Interpolation }, _])
            return Checked(new TemplateWrapExpression(span, parts[0].Expression!));
        parts = Join(parts);
        var at = 0;
        var template = BuildTemplate(parts, ref at, span);
        if (!_failed && parts[at].Kind != PartKind.End)
        {
            Fail(
                parts[at].Span,
                "Unexpected template directive",
                "This directive ends or continues an \"if\" or \"for\" that was not begun in this template.");
        }
        return template;
    }

    private List<Part> ReadParts(int start, TokenKind end)
    {
        var parts = new List<Part>();
        var trimsNext = false;
        while (!_failed)
        {
            // No blank is skipped here: in a template every token counts.
            var token = _tokens[_at];
            if (token.Kind == end)
            {
                parts.Add(new Part { Kind = PartKind.End, Span = SpanOf(token) });
                if (token.Kind != TokenKind.EndOfFile)
                    _at++;
                break;
            }
            switch (token.Kind)
            {
                case TokenKind.QuotedText or TokenKind.TemplateText:
                    _at++;
                    var text = StringEscapes.Decode(this, token);
                    parts.Add(new Part
                    {
                        Kind = PartKind.Text,
                        Span = SpanOf(token),
                        Text = trimsNext ? text.TrimStart() : text,
                    });
                    trimsNext = false;
                    break;
                case TokenKind.OpenInterpolation or TokenKind.OpenDirective:
                    if (token.Length == 3 && parts is [.., { Kind: PartKind.Text } last])
                        last.Text = last.Text.TrimEnd();
                    parts.Add(ReadSequence(token, out trimsNext));
                    break;
                case TokenKind.Whitespace when token.Start == 0:
                    _at++;
                    break;
                default:
                    Unterminated(start, end);
                    break;
            }
        }
        return parts;
    }

    private void Unterminated(int start, TokenKind end)
    {
        if (end == TokenKind.CloseQuote)
        {
            var stop = _tokens[_at].Start;
            Fail(
                _file.Span(start, stop),
                "Unterminated string",
                "A quoted string must end on the line on which it starts. To write several lines, use the \"heredoc\" syntax "
                + "(like \"<<EOT\") or the escape sequence \"\\n\".");
        }
        else
        {
            Fail(
                _file.Span(start, Math.Min(start + 3, _file.Text.Length)),
                "Unterminated heredoc",
                "The closing marker of this heredoc was not found; it must stand on a line of its own.");
        }
    }

    private Part ReadSequence(Token open, out bool trims)
    {
        trims = false;
        _at++;
        var before = EnterLines(newlinesMatter: false);
        Part? part;
        if (open.Kind == TokenKind.OpenInterpolation)
        {
            var expression = ParseExpression();
            part = new Part { Kind = PartKind.Interpolation, Span = SpanFrom(open.Start), Expression = expression };
        }
        else
        {
            part = ReadDirective(open);
        }
        if (!_failed)
        {
            var close = Peek();
            if (close.Kind == TokenKind.CloseSequence)
            {
                trims = close.Length == 2;
                Take();
            }
            else if (open.Kind == TokenKind.OpenInterpolation)
            {
                Unexpected(
                    close,
                    "Extra characters after interpolation expression",
                    close.Kind is TokenKind.Colon
                        ? "An interpolation holds an expression, which has no colon here. If this is text for a shell or another "
                            + "program, write \"$${\" in place of \"${\"."
                        : "The closing brace \"}\" of the interpolation is expected here.");
            }
            else
            {
                Unexpected(
                    close,
                    "Extra characters in template directive",
                    "The closing brace \"}\" of the directive is expected here.");
            }
        }
        LeaveLines(before);
        return part;
    }

    private Part ReadDirective(Token open)
    {
        var word = Peek();
        var kind = word.Kind != TokenKind.Identifier ? PartKind.End : TextOf(word) switch
        {
            "if" => PartKind.If,
            "else" => PartKind.Else,
            "endif" => PartKind.EndIf,
            "for" => PartKind.For,
            "endfor" => PartKind.EndFor,
            _ => PartKind.End,
        };
        if (kind == PartKind.End)
        {
            Unexpected(
                word,
                "Invalid template directive",
                "A template directive is one of \"if\", \"else\", \"endif\", \"for\" and \"endfor\".");
            return new Part { Kind = PartKind.End, Span = SpanOf(word) };
        }
        Take();
        if (kind == PartKind.If)
        {
            var condition = ParseExpression();
            return new Part { Kind = kind, Span = SpanFrom(open.Start), Expression = condition };
        }
        if (kind == PartKind.For && ParseLoopHead("'for' directive") is var (key, value, collection))
        {
            return new Part
            {
                Kind = kind,
                Span = SpanFrom(open.Start),
                KeyName = key,
                ValueName = value,
                Expression = collection,
            };
        }
        return new Part { Kind = kind, Span = SpanFrom(open.Start) };
    }

    // Parts up to the end of the directive that opened them; leaves the part that ended them at `at`.
    private Expression BuildTemplate(List<Part> parts, ref int at, SourceSpan span)
    {
        if (!Enter(TokenAt(span)))
            return new ErrorExpression(span);
        var items = ImmutableArray.CreateBuilder<Expression>();
        while (!_failed)
        {
            var part = parts[at];
            if (part.Kind is PartKind.End or PartKind.Else or PartKind.EndIf or PartKind.EndFor)
                break;
            at++;
            switch (part.Kind)
            {
                case PartKind.Text when part.Text.Length > 0:
                    items.Add(new LiteralExpression(part.Span, HclValue.String(part.Text)));
                    break;
                case PartKind.Interpolation:
                    items.Add(part.Expression!);
                    break;
                case PartKind.If:
                    items.Add(BuildIf(parts, ref at, part));
                    break;
                case PartKind.For:
                    var body = BuildTemplate(parts, ref at, part.Span);
                    Expect(parts, ref at, PartKind.EndFor, part);
                    items.Add(
                        new TemplateForExpression(part.Span, part.KeyName, part.ValueName, part.Expression!, body));
                    break;
                default:
                    break;
            }
        }
        Leave();
        if (items.Count == 1 && parts is [{ Kind: PartKind.Text }, ..] && items[0] is LiteralExpression only)
            return new LiteralExpression(span, only.Value);
        if (items.Count == 0)
            return new LiteralExpression(span, HclValue.String(""));
        return Checked(new TemplateExpression(span, items.ToImmutable()));
    }

    // Lines of a heredoc are separate tokens; one literal for all of them keeps the tree small.
    private static List<Part> Join(List<Part> parts)
    {
        var joined = new List<Part>();
        for (var i = 0; i < parts.Count;)
        {
            var end = i + 1;
            while (end < parts.Count && parts[i].Kind == PartKind.Text && parts[end].Kind == PartKind.Text)
                end++;
            joined.Add(end == i + 1 ? parts[i] : new Part
            {
                Kind = PartKind.Text,
                Span = parts[i].Span.Through(parts[end - 1].Span),
                Text = string.Concat(parts.Skip(i).Take(end - i).Select(part => part.Text)),
            });
            i = end;
        }
        return joined;
    }

    private TemplateIfExpression BuildIf(List<Part> parts, ref int at, Part opener)
    {
        var whenTrue = BuildTemplate(parts, ref at, opener.Span);
        Expression whenFalse = new LiteralExpression(opener.Span, HclValue.String(""));
        if (!_failed && parts[at].Kind == PartKind.Else)
        {
            var start = parts[at++];
            whenFalse = BuildTemplate(parts, ref at, start.Span);
        }
        Expect(parts, ref at, PartKind.EndIf, opener);
        return Checked(new TemplateIfExpression(opener.Span, opener.Expression!, whenTrue, whenFalse));
    }

    private void Expect(List<Part> parts, ref int at, PartKind kind, Part opener)
    {
        if (_failed)
            return;
        if (parts[at].Kind == kind)
        {
            at++;
            return;
        }
        var word = kind == PartKind.EndIf ? "endif" : "endfor";
        Fail(
            opener.Span,
            "Unterminated template directive",
            $"This directive needs a \"%{{ {word} }}\" before the end of the template or of the directive around it.");
    }

    private static Token TokenAt(SourceSpan span) => new(TokenKind.TemplateText, span.StartIndex, span.EndIndex);

    // <<-: takes the indentation that all lines share away from each. Blank lines do not count and stay as they are.
    private static void RemoveIndentation(List<Part> parts)
    {
        var shared = int.MaxValue;
        var starts = new List<Part>();
        var atLineStart = true;
        foreach (var part in parts)
        {
            if (part.Kind == PartKind.End)
                break;
            if (atLineStart && part.Kind != PartKind.Text)
                shared = 0;
            else if (atLineStart && (part.Text.Trim().Length > 0 || !part.Text.EndsWith('\n')))
            {
                starts.Add(part);
                shared = Math.Min(shared, part.Text.Length - part.Text.TrimStart().Length);
            }
            atLineStart = part.Kind == PartKind.Text && part.Text.EndsWith('\n');
        }
        foreach (var part in starts)
            part.Text = part.Text[Math.Min(shared, part.Text.Length)..];
    }

    /// <summary>Decodes the escapes of one text token.</summary>
    private static class StringEscapes
    {
        public static string Decode(Parser parser, Token token)
        {
            var raw = parser._file.Text.AsSpan(token.Start, token.Length);
            var quoted = token.Kind == TokenKind.QuotedText;
            if (raw.IndexOfAny('\\', '$', '%') < 0)
                return raw.ToString();
            var text = new StringBuilder(raw.Length);
            for (var i = 0; i < raw.Length;)
            {
                var rest = raw[i..];
                if (rest.StartsWith("$${") || rest.StartsWith("%%{"))
                {
                    text.Append(rest[0]).Append('{');
                    i += 3;
                }
                else if (quoted && rest[0] == '\\')
                {
                    i += Escape(parser, token.Start + i, rest, text);
                }
                else
                {
                    text.Append(rest[0]);
                    i++;
                }
            }
            return text.ToString();
        }

        private static int Escape(Parser parser, int index, ReadOnlySpan<char> rest, StringBuilder text)
        {
            var c = rest.Length > 1 ? rest[1] : '\0';
            var simple = c switch { 'n' => '\n', 'r' => '\r', 't' => '\t', '"' => '"', '\\' => '\\', _ => '\0' };
            if (simple != '\0')
            {
                text.Append(simple);
                return 2;
            }
            if (c is 'u' or 'U')
            {
                var digits = c == 'u' ? 4 : 8;
                if (rest.Length >= 2 + digits
                    && int.TryParse(
                        rest.Slice(2, digits),
                        NumberStyles.AllowHexSpecifier,
                        CultureInfo.InvariantCulture,
                        out var code)
                    && Rune.IsValid(code))
                {
                    text.Append(new Rune(code).ToString());
                    return 2 + digits;
                }
                parser.Fail(
                    parser._file.Span(index, index + 2),
                    "Invalid escape sequence",
                    $"After \\{c} come the {digits} hexadecimal digits of a Unicode character.");
                return rest.Length;
            }
            parser.Fail(
                parser._file.Span(index, index + Math.Min(2, rest.Length)),
                "Invalid escape sequence",
                $"\"\\{(c < ' ' ? "" : c)}\" is no escape sequence. "
                + "To write a backslash itself, double it: \"\\\\\".");
            return rest.Length;
        }
    }
}
