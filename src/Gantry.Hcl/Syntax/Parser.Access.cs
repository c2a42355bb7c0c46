using Gantry.Hcl.Values;

namespace Gantry.Hcl.Syntax;

/// <summary>What may follow a term: attributes, indices and splats.</summary>
internal sealed partial class Parser
{
    private Expression ParseAccesses(Expression target)
    {
        while (!_failed)
        {
            var token = Peek();
            if (token.Kind == TokenKind.Dot)
                target = ParseDot(target);
            else if (token.Kind == TokenKind.OpenBracket)
                target = ParseBracket(target);
            else
                break;
        }
        return target;
    }

    private Expression ParseDot(Expression target)
    {
        var dot = Take();
        var token = Peek();
        switch (token.Kind)
        {
            case TokenKind.Identifier:
                Take();
                return Attribute(target, token);
            case TokenKind.Number:
                Take();
                return OldIndex(target, token);
            case TokenKind.Star:
                Take();
                return ParseAttributeSplat(target, dot);
            default:
                return Unexpected(token, "Invalid attribute name", "An attribute name is required after a dot.");
        }
    }

    private AttributeExpression Attribute(Expression target, Token name) => Checked(new AttributeExpression(
        target.Span.Through(SpanOf(name)), target, TextOf(name), SpanOf(name)));

    // a.0, and a.0.1 whose indices the lexer takes for one number.
    private Expression OldIndex(Expression target, Token number)
    {
        foreach (var part in TextOf(number).Split('.'))
        {
            if (!part.All(char.IsAsciiDigit) || !HclNumber.TryParse(part, out var index))
            {
                Fail(
                    SpanOf(number),
                    "Invalid legacy index",
                    "An index after a dot must be a whole number; use brackets otherwise.");
                return new ErrorExpression(SpanOf(number));
            }
            var key = new LiteralExpression(SpanOf(number), HclValue.Number(index));
            target = Checked(new IndexExpression(target.Span.Through(SpanOf(number)), target, key));
        }
        return target;
    }

    // a.*.b.c: only attributes and old indices belong to the splat; a bracket applies to its result.
    private SplatExpression ParseAttributeSplat(Expression source, Token dot)
    {
        var element = new SplatElementExpression(SpanFrom(dot.Start));
        Expression each = element;
        while (!_failed && Peek().Kind == TokenKind.Dot)
        {
            Take();
            var token = Peek();
            if (token.Kind == TokenKind.Identifier)
                each = Attribute(each, Take());
            else if (token.Kind == TokenKind.Number)
                each = OldIndex(each, Take());
            else if (token.Kind == TokenKind.Star)
            {
                Fail(
                    SpanOf(token),
                    "Nested splat expression not allowed",
                    "After \".*\" no second one can follow; write both as \"[*]\".");
            }
            else
            {
                Unexpected(token, "Invalid attribute name", "An attribute name is required after a dot.");
            }
        }
        return Checked(new SplatExpression(source.Span.Through(SpanFrom(dot.Start)), source, element, each));
    }

    private Expression ParseBracket(Expression target)
    {
        var open = Peek();
        if (!Enter(open))
            return new ErrorExpression(SpanOf(open));
        Take();
        var before = EnterLines(newlinesMatter: false);
        Expression? result;
        if (Peek().Kind == TokenKind.Star && PeekAfter().Kind == TokenKind.CloseBracket)
        {
            Take();
            Take();
            LeaveLines(before);
            var element = new SplatElementExpression(SpanFrom(open.Start));
            var each = ParseAccesses(element);
            result = Checked(new SplatExpression(target.Span.Through(SpanFrom(open.Start)), target, element, each));
        }
        else
        {
            var key = ParseExpression();
            if (!_failed && !TryTake(TokenKind.CloseBracket))
                Unexpected(
                    Peek(),
                    "Missing close bracket on index",
                    "The closing bracket \"]\" of an index is expected here.");
            LeaveLines(before);
            result = Checked(new IndexExpression(target.Span.Through(SpanFrom(open.Start)), target, key));
        }
        Leave();
        return result;
    }
}
