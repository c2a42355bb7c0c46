using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Syntax;

/// <summary>The structural language: bodies, attributes and blocks.</summary>
internal sealed partial class Parser
{
    public Body ParseWholeBody()
    {
        _newlinesMatter = true;
        var items = new BodyItems();
        while (Peek().Kind != TokenKind.EndOfFile)
        {
            if (Peek().Kind == TokenKind.CloseBrace)
            {
                Fail(
                    SpanOf(Peek()),
                    "Unexpected closing brace",
                    "This \"}\" closes no block. Remove it, or add the block's beginning.");
                Take();
                _failed = false;
                continue;
            }
            ParseItem(items);
        }
        return items.ToBody(_file.Span(0, _file.Text.Length));
    }

    // What a body has gathered so far.
    private sealed class BodyItems
    {
        public ImmutableArray<AttributeDefinition>.Builder Attributes { get; } = ImmutableArray.CreateBuilder<AttributeDefinition>();

        public ImmutableArray<Block>.Builder Blocks { get; } = ImmutableArray.CreateBuilder<Block>();

        public Dictionary<string, AttributeDefinition> ByName { get; } = new(StringComparer.Ordinal);

        public Body ToBody(SourceSpan span) => new(span, Attributes.ToImmutable(), Blocks.ToImmutable());
    }

    // One attribute, block or empty line; after an error the rest of the item is skipped.
    private void ParseItem(BodyItems items)
    {
        var token = Peek();
        if (token.Kind == TokenKind.Newline)
        {
            Take();
            return;
        }
        _failed = false;
        var start = _at;
        if (token.Kind == TokenKind.Identifier)
        {
            ParseNamedItem(items);
        }
        else if (token.Kind == TokenKind.OpenQuote)
        {
            Unexpected(token, "Invalid argument name", "The name of an argument is written without quotes.");
        }
        else
        {
            Unexpected(
                token,
                "Argument or block definition required",
                "A line starts with the name of an argument or the type of a block.");
        }
        if (_failed)
            Recover(start);
        _failed = false;
    }

    private void ParseNamedItem(BodyItems items)
    {
        var name = Take();
        var next = Peek();
        if (next.Kind == TokenKind.Assign)
        {
            Take();
            ParseAttribute(items, name);
        }
        else if (next.Kind is TokenKind.OpenQuote or TokenKind.OpenBrace or TokenKind.Identifier)
        {
            if (ParseBlock(name) is { } block)
                items.Blocks.Add(block);
        }
        else
        {
            Unexpected(
                next,
                "Invalid definition",
                next.Kind is TokenKind.Newline or TokenKind.EndOfFile
                    ? "A name must be followed by \"=\" and a value (an argument), or by labels and \"{\" (a block)."
                    : "To set an argument, use the equals sign \"=\" between its name and its value. "
                        + "To define a block, write \"{\" after its type and labels.");
        }
    }

    private void ParseAttribute(BodyItems items, Token name)
    {
        var expression = ParseExpression();
        var attribute = new AttributeDefinition(
            _file.Span(name.Start, Math.Max(name.End, expression.Span.EndIndex)), TextOf(name), SpanOf(name), expression);
        if (items.ByName.TryAdd(attribute.Name, attribute))
        {
            items.Attributes.Add(attribute);
        }
        else
        {
            var first = new RelatedLocation { Span = items.ByName[attribute.Name].NameSpan, Message = "it was already set here" };
            _diagnostics.Error(
                SpanOf(name),
                "Attribute redefined",
                $"The argument \"{attribute.Name}\" was already set. Each argument may be set only once.",
                first);
        }
        if (!_failed)
            EndItem(
                "Missing newline after argument",
                "The value is complete before this, and nothing may follow it on its line.");
    }

    private void EndItem(string summary, string expected)
    {
        var token = Peek();
        if (token.Kind == TokenKind.Newline)
            Take();
        else if (token.Kind != TokenKind.EndOfFile)
            Unexpected(token, summary, expected);
    }

    private Block? ParseBlock(Token type)
    {
        var labels = ImmutableArray.CreateBuilder<BlockLabel>();
        while (true)
        {
            var token = Peek();
            if (token.Kind == TokenKind.Identifier)
            {
                labels.Add(new BlockLabel(TextOf(token), SpanOf(token)));
                Take();
            }
            else if (token.Kind == TokenKind.OpenQuote)
            {
                if (ParseLabel() is not { } label)
                    return null;
                labels.Add(label);
            }
            else if (token.Kind == TokenKind.OpenBrace)
            {
                break;
            }
            else
            {
                Unexpected(
                    token,
                    "Invalid block definition",
                    token.Kind == TokenKind.Assign
                        ? "A block has no equals sign between its type or labels and the \"{\"."
                        : "Another label or the opening \"{\" is expected here, on the same line.");
                return null;
            }
        }
        if (!Enter(Peek()))
            return null;
        var body = ParseBlockBody(SpanOf(type));
        Leave();
        if (body is null)
            return null;
        var header = labels.Count == 0 ? SpanOf(type) : SpanOf(type).Through(labels[^1].Span);
        return new Block(header.Through(body.Span), TextOf(type), SpanOf(type), labels.ToImmutable(), body);
    }

    private BlockLabel? ParseLabel()
    {
        var template = ParseQuoted();
        if (_failed)
            return null;
        if (template is LiteralExpression { Value: var value })
            return new BlockLabel(value.AsString(), template.Span);
        Fail(
            template.Span,
            "Invalid block label",
            "A block label is a plain string: template sequences are not allowed in it. Double the \"$\" to write \"${\" itself.");
        return null;
    }

    private Body? ParseBlockBody(SourceSpan owner)
    {
        var open = Take();
        var items = new BodyItems();
        if (Peek().Kind is not (TokenKind.Newline or TokenKind.CloseBrace or TokenKind.EndOfFile))
            return ParseSingleLine(open, items);
        while (Peek().Kind is not (TokenKind.CloseBrace or TokenKind.EndOfFile))
            ParseItem(items);
        if (Peek().Kind == TokenKind.EndOfFile)
        {
            var start = new RelatedLocation { Span = owner, Message = "the block starts here" };
            Fail(
                SpanOf(open),
                "Unclosed configuration block",
                "The \"}\" that closes this block was not found. Perhaps a block or object inside it is not closed.",
                start);
            return null;
        }
        Take();
        var body = items.ToBody(SpanFrom(open.Start));
        EndItem("Missing newline after block definition", "Nothing may follow a block's closing brace on its line.");
        return body;
    }

    // { name = value } on one line: at most one attribute, no blocks.
    private Body? ParseSingleLine(Token open, BodyItems items)
    {
        var name = Peek();
        if (name.Kind != TokenKind.Identifier || PeekAfter().Kind != TokenKind.Assign)
        {
            Unexpected(
                name,
                "Invalid single-argument block definition",
                "A block on a single line can hold only one argument definition. To write nested blocks or more, "
                + "put a newline after the opening brace.");
            return null;
        }
        Take();
        Take();
        var expression = ParseExpression();
        if (_failed)
            return null;
        var span = _file.Span(name.Start, expression.Span.EndIndex);
        items.Attributes.Add(new AttributeDefinition(span, TextOf(name), SpanOf(name), expression));
        var close = Peek();
        if (close.Kind != TokenKind.CloseBrace)
        {
            Unexpected(
                close,
                "Invalid single-argument block definition",
                close.Kind == TokenKind.Comma
                    ? "A block on a single line holds one argument. To set more, put each on a line of its own."
                    : "The closing \"}\" is expected right after the one argument of a block on a single line.");
            return null;
        }
        Take();
        var body = items.ToBody(SpanFrom(open.Start));
        EndItem("Missing newline after block definition", "Nothing may follow a block's closing brace on its line.");
        return body;
    }

    // Skips to the end of the line at which all brackets that the item opened are closed again, so that one mistake
    // is one error. A brace that closes more than the item opened belongs to the block around, and is left. Where a
    // bracket is never closed, a line that is indented like the item and reads like a definition ends it too.
    private void Recover(int itemStart)
    {
        _failed = false;
        _newlinesMatter = true;
        // Nothing is left to skip; going through all of it again for each block left open would be quadratic.
        if (Peek().Kind == TokenKind.EndOfFile)
            return;
        var failure = _at;
        _at = itemStart;
        var indentation = Indentation(_tokens[itemStart].Start);
        var open = 0;
        while (true)
        {
            var token = Peek();
            if (token.Kind == TokenKind.EndOfFile || (
                token.Kind == TokenKind.CloseBrace && open == 0 && _at > itemStart))
                return;
            Take();
            if (token.Kind == TokenKind.Newline && (
                (_at > failure && open == 0) || StartsDefinition(indentation, failure)))
                return;
            open = token.Kind switch
            {
                TokenKind.OpenBrace or TokenKind.OpenBracket or TokenKind.OpenParenthesis
                    or TokenKind.OpenInterpolation or TokenKind.OpenDirective or TokenKind.OpenHeredoc => open + 1,
                TokenKind.CloseBrace or TokenKind.CloseBracket or TokenKind.CloseParenthesis
                    or TokenKind.CloseSequence or TokenKind.CloseHeredoc => Math.Max(0, open - 1),
                _ => open,
            };
        }
    }

    private bool StartsDefinition(int indentation, int failure)
    {
        var name = Peek();
        return _at >= failure
            && name.Kind == TokenKind.Identifier
            && Indentation(name.Start) <= indentation
            && PeekAfter().Kind is TokenKind.Assign or TokenKind.OpenBrace or TokenKind.OpenQuote;
    }

    private int Indentation(int index)
    {
        var start = index;
        while (start > 0 && _file.Text[start - 1] is ' ' or '\t')
            start--;
        return index - start;
    }
}
