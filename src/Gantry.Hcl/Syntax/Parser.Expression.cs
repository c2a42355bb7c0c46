using System.Collections.Immutable;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Syntax;

/// <summary>The expression language: operators by precedence, terms, and what may follow a term.</summary>
internal sealed partial class Parser
{
    private Expression ParseExpression()
    {
        var start = Peek();
        if (!Enter(start))
            return new ErrorExpression(SpanOf(start));
        var expression = ParseConditional();
        Leave();
        return expression;
    }

    private Expression ParseConditional()
    {
        var condition = ParseBinary(1);
        if (_failed || !TryTake(TokenKind.Question))
            return condition;
        var whenTrue = ParseExpression();
        if (_failed)
            return condition;
        if (!TryTake(TokenKind.Colon))
        {
            return Unexpected(
                Peek(), "Missing false expression in conditional", "A conditional (condition ? value : other) needs a colon and the value for the other case here.");
        }
        var whenFalse = ParseExpression();
        return Checked(new ConditionalExpression(
            condition.Span.Through(whenFalse.Span), condition, whenTrue, whenFalse));
    }

    // Precedence climbing: one frame a level of precedence that really occurs.
    private Expression ParseBinary(int minimum)
    {
        var left = ParseUnary();
        while (!_failed && Operator(Peek().Kind) is var (op, level) && level >= minimum)
        {
            Take();
            var right = ParseBinary(level + 1);
            left = Checked(new BinaryExpression(left.Span.Through(right.Span), op, left, right));
        }
        return left;
    }

    private static (BinaryOperator Operator, int Level)? Operator(TokenKind kind) => kind switch
    {
        TokenKind.Or => (BinaryOperator.Or, 1),
        TokenKind.And => (BinaryOperator.And, 2),
        TokenKind.Equal => (BinaryOperator.Equal, 3),
        TokenKind.NotEqual => (BinaryOperator.NotEqual, 3),
        TokenKind.Less => (BinaryOperator.Less, 4),
        TokenKind.LessOrEqual => (BinaryOperator.LessOrEqual, 4),
        TokenKind.Greater => (BinaryOperator.Greater, 4),
        TokenKind.GreaterOrEqual => (BinaryOperator.GreaterOrEqual, 4),
        TokenKind.Plus => (BinaryOperator.Add, 5),
        TokenKind.Minus => (BinaryOperator.Subtract, 5),
        TokenKind.Star => (BinaryOperator.Multiply, 6),
        TokenKind.Slash => (BinaryOperator.Divide, 6),
        TokenKind.Percent => (BinaryOperator.Remainder, 6),
        _ => null,
    };

    private Expression ParseUnary()
    {
        var token = Peek();
        if (token.Kind is not (TokenKind.Minus or TokenKind.Not))
            return ParseAccesses(ParseTerm());
        if (!Enter(token))
            return new ErrorExpression(SpanOf(token));
        Take();
        var operand = ParseUnary();
        Leave();
        var op = token.Kind == TokenKind.Minus ? UnaryOperator.Negate : UnaryOperator.Not;
        return Checked(new UnaryExpression(SpanOf(token).Through(operand.Span), op, operand));
    }

    private Expression ParseTerm()
    {
        var token = Peek();
        switch (token.Kind)
        {
            case TokenKind.OpenParenthesis:
                return ParseParentheses();
            case TokenKind.Number:
                Take();
                return ParseNumber(token);
            case TokenKind.Identifier:
                Take();
                return ParseName(token);
            case TokenKind.OpenQuote:
                return ParseQuoted();
            case TokenKind.OpenHeredoc:
                return ParseHeredoc();
            case TokenKind.OpenBracket:
                return ParseTuple();
            case TokenKind.OpenBrace:
                return ParseObject();
            default:
                return Unexpected(
                    token,
                    "Invalid expression",
                    "A value is expected here: a literal, a name, a function call, or something in brackets.");
        }
    }

    private ParenthesesExpression ParseParentheses()
    {
        var open = Take();
        var before = EnterLines(newlinesMatter: false);
        var inner = ParseExpression();
        if (!_failed && !TryTake(TokenKind.CloseParenthesis))
            Unexpected(Peek(), "Unbalanced parentheses", "The closing parenthesis \")\" is expected here.");
        LeaveLines(before);
        return Checked(new ParenthesesExpression(SpanFrom(open.Start), inner));
    }

    private Expression ParseNumber(Token token)
    {
        if (HclNumber.TryParse(TextOf(token), out var number))
            return new LiteralExpression(SpanOf(token), HclValue.Number(number));
        Fail(SpanOf(token), "Invalid number literal", "This number is too large or too small to be represented.");
        return new ErrorExpression(SpanOf(token));
    }

    private Expression ParseName(Token token)
    {
        var name = TextOf(token);
        if (Peek().Kind is TokenKind.OpenParenthesis or TokenKind.DoubleColon)
            return ParseCall(token);
        var span = SpanOf(token);
        return name switch
        {
            "true" => new LiteralExpression(span, HclValue.True),
            "false" => new LiteralExpression(span, HclValue.False),
            "null" => new LiteralExpression(span, HclValue.Null(HclType.Any)),
            _ => new VariableExpression(span, name),
        };
    }

    private Expression ParseCall(Token first)
    {
        var name = TextOf(first);
        while (TryTake(TokenKind.DoubleColon))
        {
            var part = Peek();
            if (part.Kind != TokenKind.Identifier)
                return Unexpected(part, "Missing function name", "A function's name is expected after \"::\".");
            Take();
            name += "::" + TextOf(part);
        }
        var nameSpan = SpanFrom(first.Start);
        if (!TryTake(TokenKind.OpenParenthesis))
            return Unexpected(
                Peek(),
                "Missing open parenthesis",
                "The opening parenthesis \"(\" of a function call is expected here.");
        var before = EnterLines(newlinesMatter: false);
        var arguments = ImmutableArray.CreateBuilder<Expression>();
        var expands = false;
        while (!_failed && Peek().Kind != TokenKind.CloseParenthesis)
        {
            arguments.Add(ParseExpression());
            if (_failed)
                break;
            expands = TryTake(TokenKind.Ellipsis);
            if (expands || !TryTake(TokenKind.Comma))
                break;
        }
        if (!_failed && !TryTake(TokenKind.CloseParenthesis))
        {
            if (expands)
                Unexpected(
                    Peek(),
                    "Missing closing parenthesis",
                    "Only the last argument can be expanded with \"...\": the closing parenthesis is expected "
                        + "right after it.");
            else
                Unexpected(
                    Peek(),
                    "Missing argument separator",
                    "A comma or the closing parenthesis \")\" is expected here.");
        }
        LeaveLines(before);
        return Checked(new CallExpression(SpanFrom(first.Start), name, nameSpan, arguments.ToImmutable(), expands));
    }

    private Expression ParseTuple()
    {
        var open = Take();
        var before = EnterLines(newlinesMatter: false);
        Expression? result = null;
        if (IsWord(Peek(), "for"))
            result = ParseFor(open, isObject: false);
        else
        {
            var items = ImmutableArray.CreateBuilder<Expression>();
            while (!_failed && Peek().Kind != TokenKind.CloseBracket)
            {
                items.Add(ParseExpression());
                if (_failed || !TryTake(TokenKind.Comma))
                    break;
            }
            if (!_failed && !TryTake(TokenKind.CloseBracket))
                Unexpected(Peek(), "Missing item separator", "A comma or the closing bracket \"]\" is expected here.");
            result = Checked(new TupleExpression(SpanFrom(open.Start), items.ToImmutable()));
        }
        LeaveLines(before);
        return result;
    }

    private Expression ParseObject()
    {
        var open = Take();
        var before = EnterLines(newlinesMatter: false);
        if (IsWord(Peek(), "for"))
        {
            var loop = ParseFor(open, isObject: true);
            LeaveLines(before);
            return loop;
        }
        _newlinesMatter = true;
        var items = ImmutableArray.CreateBuilder<ObjectItem>();
        while (!_failed)
        {
            while (TryTake(TokenKind.Newline))
                continue;
            if (TryTake(TokenKind.CloseBrace))
                break;
            if (ParseObjectItem() is not { } item)
                break;
            items.Add(item);
            var next = Peek();
            if (next.Kind is TokenKind.Comma or TokenKind.Newline)
                Take();
            else if (next.Kind != TokenKind.CloseBrace && !_failed)
                Unexpected(
                    next,
                    "Missing attribute separator",
                    "A comma, a newline or the closing brace \"}\" is expected here.");
        }
        LeaveLines(before);
        return Checked(new ObjectExpression(SpanFrom(open.Start), items.ToImmutable()));
    }

    private ObjectItem? ParseObjectItem()
    {
        var first = Peek();
        var key = ParseExpression();
        if (_failed)
            return null;
        string? name = null;
        if (key is VariableExpression variable)
            name = variable.Name;
        else if (key is LiteralExpression && first.Kind == TokenKind.Identifier)
            name = TextOf(first);
        else if (key is AttributeExpression)
        {
            Fail(
                key.Span,
                "Ambiguous attribute key",
                "A key with dots could be a reference or a name. Put a reference into parentheses, and a name into quotes.");
            return null;
        }
        if (name is not null)
            key = new LiteralExpression(key.Span, HclValue.String(name));
        var separator = Peek();
        if (separator.Kind is not (TokenKind.Assign or TokenKind.Colon))
        {
            Unexpected(
                separator,
                "Missing attribute value",
                "An equals sign or a colon, and the value of this key, are expected here.");
            return null;
        }
        Take();
        var value = ParseExpression();
        return _failed ? null : new ObjectItem(key, name, value);
    }

    // After the bracket or brace, at the word "for"; takes the closing one too.
    private Expression ParseFor(Token open, bool isObject)
    {
        Take();
        if (ParseLoopHead("'for' expression") is not var (keyName, valueName, collection))
            return new ErrorExpression(SpanFrom(open.Start));
        if (!TryTake(TokenKind.Colon))
            return Unexpected(
                Peek(), "Invalid 'for' expression", "A colon is required after the collection expression.");
        var value = ParseExpression();
        Expression? key = null;
        if (!_failed && TryTake(TokenKind.FatArrow))
        {
            key = value;
            value = ParseExpression();
        }
        if (!_failed && isObject && key is null)
            return Unexpected(
                Peek(),
                "Invalid 'for' expression",
                "A key expression followed by \"=>\" is required when building an object.");
        if (!_failed && !isObject && key is not null)
        {
            Fail(
                key.Span,
                "Invalid 'for' expression",
                "A key expression is not valid when building a tuple; use braces to build an object.");
            return new ErrorExpression(key.Span);
        }
        var ellipsis = Peek();
        var groups = !_failed && TryTake(TokenKind.Ellipsis);
        if (groups && key is null)
            Fail(
                SpanOf(ellipsis),
                "Invalid 'for' expression",
                "Grouping with ... is only possible when building an object.");
        Expression? condition = null;
        if (!_failed && IsWord(Peek(), "if"))
        {
            Take();
            condition = ParseExpression();
        }
        if (!_failed && !TryTake(isObject ? TokenKind.CloseBrace : TokenKind.CloseBracket))
            Unexpected(Peek(), "Invalid 'for' expression", "Extra characters after the end of the 'for' expression.");
        return Checked(new ForExpression(
            SpanFrom(open.Start), keyName, valueName, collection, key, value, condition, groups));
    }

    // name [, name] in collection
    private (string? Key, string Value, Expression Collection)? ParseLoopHead(string where)
    {
        string? key = null;
        if (ParseLoopName(where) is not { } value)
            return null;
        if (TryTake(TokenKind.Comma))
        {
            key = value;
            if (ParseLoopName(where) is not { } second)
                return null;
            value = second;
        }
        if (!IsWord(Peek(), "in"))
        {
            Unexpected(Peek(), $"Invalid {where}", "It requires the \"in\" keyword after its variable names.");
            return null;
        }
        Take();
        var collection = ParseExpression();
        return _failed ? null : (key, value, collection);
    }

    private string? ParseLoopName(string where)
    {
        var token = Peek();
        if (token.Kind == TokenKind.Identifier)
            return TextOf(Take());
        Unexpected(
            token, $"Invalid {where}", "It requires one or two variable names after \"for\", separated by a comma.");
        return null;
    }
}
