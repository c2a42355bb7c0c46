using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Gantry.Hcl.Diagnostics;

namespace Gantry.Hcl.Syntax;

/// <summary>Recursive descent over the tokens of one text: the cursor, and what all productions share.</summary>
internal sealed partial class Parser
{
    private readonly SourceFile _file;
    private readonly ImmutableArray<Token> _tokens;
    private readonly HclLimits _limits;
    private readonly DiagnosticBag _diagnostics;
    private int _at;
    private int _nesting;

    // Inside brackets line ends are blanks; inside a body they end a definition.
    private bool _newlinesMatter;

    // Set by the first error of a body item, so that its consequences are not reported too.
    private bool _failed;

    public Parser(SourceFile file, ImmutableArray<Token> tokens, HclLimits limits, DiagnosticBag diagnostics)
    {
        _file = file;
        _tokens = tokens;
        _limits = limits;
        _diagnostics = diagnostics;
    }

    public Expression ParseWholeExpression()
    {
        var expression = ParseExpression();
        if (!_failed && Peek().Kind != TokenKind.EndOfFile)
            Unexpected(
                Peek(),
                "Extra characters after expression",
                "The expression is complete before this; nothing may follow it.");
        return expression;
    }

    private Token Peek()
    {
        var at = _at;
        while (IsSkipped(_tokens[at].Kind))
            at++;
        _at = at;
        return _tokens[at];
    }

    private Token PeekAfter()
    {
        Peek();
        var at = _at;
        if (_tokens[at].Kind != TokenKind.EndOfFile)
            at++;
        while (IsSkipped(_tokens[at].Kind))
            at++;
        return _tokens[at];
    }

    private Token Take()
    {
        var token = Peek();
        if (token.Kind != TokenKind.EndOfFile)
            _at++;
        return token;
    }

    private bool TryTake(TokenKind kind)
    {
        if (Peek().Kind != kind)
            return false;
        Take();
        return true;
    }

    private bool IsSkipped(TokenKind kind) =>
        kind is TokenKind.Whitespace or TokenKind.Comment || (kind == TokenKind.Newline && !_newlinesMatter);

    private string TextOf(Token token) => _file.Text[token.Start..token.End];

    private bool IsWord(Token token, string word) =>
        token.Kind == TokenKind.Identifier
        && token.Length == word.Length
        && string.CompareOrdinal(_file.Text, token.Start, word, 0, word.Length) == 0;

    private SourceSpan SpanOf(Token token) => _file.Span(token.Start, token.End);

    // From the start of a construct to the end of the last token taken.
    private SourceSpan SpanFrom(int start)
    {
        var last = _at - 1;
        while (last > 0 && (_tokens[last].Kind is TokenKind.Whitespace or TokenKind.Comment or TokenKind.Newline))
            last--;
        return _file.Span(start, last < 0 ? start : Math.Max(start, _tokens[last].End));
    }

    private void Fail(SourceSpan span, string summary, string detail, params RelatedLocation[] related)
    {
        if (!_failed)
            _diagnostics.Error(span, summary, detail, related);
        _failed = true;
    }

    /// <summary>Reports a token that does not fit: what it is says more than what was expected in its place.</summary>
    private ErrorExpression Unexpected(Token token, string summary, string expected)
    {
        var span = SpanOf(token);
        if (token.Kind == TokenKind.Invalid)
        {
            var (title, detail) = InvalidCharacters.Explain(TextOf(token));
            Fail(_file.Span(token.Start, Math.Min(token.End, token.Start + 2)), title, detail);
        }
        else if (token.Kind == TokenKind.EndOfFile)
        {
            Fail(EndOfText(), summary, $"{expected} The text ends instead.");
        }
        else if (token.Kind == TokenKind.Newline)
        {
            Fail(_file.Span(token.Start, token.Start), summary, $"{expected} The line ends instead.");
        }
        else
        {
            Fail(span, summary, expected);
        }
        return new ErrorExpression(span);
    }

    // Behind the last thing that was written: people look there, not at the empty line at the end.
    private SourceSpan EndOfText()
    {
        var last = _tokens.Length - 1;
        while (last > 0 && _tokens[last].Kind is TokenKind.EndOfFile or TokenKind.Newline or TokenKind.Whitespace or TokenKind.Comment)
            last--;
        return _file.Span(_tokens[last].End, _tokens[last].End);
    }

    // Guards every recursion: by count, so that the answer is the same everywhere, and by the stack really left.
    private bool Enter(Token at)
    {
        if (_nesting >= _limits.MaxNesting || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            Fail(
                SpanOf(at),
                "Nesting too deep",
                $"Blocks, expressions and templates may be nested at most {_limits.MaxNesting} deep.");
            return false;
        }
        _nesting++;
        return true;
    }

    private void Leave() => _nesting--;

    // A long chain of operators makes a deep tree without any recursion in the parser.
    private T Checked<T>(T expression)
        where T : Expression
    {
        if (expression.Depth > _limits.MaxNesting)
        {
            Fail(
                expression.Span,
                "Expression too long",
                $"Operators and accesses may follow one another at most {_limits.MaxNesting} deep; use a local value.");
        }
        return expression;
    }

    private bool EnterLines(bool newlinesMatter)
    {
        var before = _newlinesMatter;
        _newlinesMatter = newlinesMatter;
        return before;
    }

    private void LeaveLines(bool before) => _newlinesMatter = before;
}
