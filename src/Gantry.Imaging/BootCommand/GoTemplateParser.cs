using System.Globalization;
using System.Text;

namespace Gantry.Imaging.BootCommand;

/// <summary>Reads and evaluates one <c>{{ … }}</c>.</summary>
internal sealed class GoTemplateParser(string text, int start, int open, TemplateScope scope)
{
    private const int MaxDepth = 32;

    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "if", "else", "end", "range", "with", "define", "template", "block", "break", "continue",
    };

    private int _at = start;
    private int _depth;

    /// <summary>Evaluates the action and gives where the text goes on.</summary>
    public string Action(out int next, out bool trimRight)
    {
        if (At("/*"))
        {
            var close = text.IndexOf("*/", _at, StringComparison.Ordinal);
            if (close < 0)
                throw Error("this comment has no closing '*/'", open);
            _at = close + 2;
            next = Close(out trimRight);
            return "";
        }
        SkipBlanks();
        if (At("}}"))
            throw Error("expected something between '{{' and '}}'", open);
        var value = Pipeline();
        next = Close(out trimRight);
        return value;
    }

    private int Close(out bool trimRight)
    {
        SkipBlanks();
        trimRight = GoTemplate.IsTrim(text, _at, after: false) && text.AsSpan(_at + 1).StartsWith("}}");
        if (trimRight)
            _at++;
        if (!At("}}"))
        {
            throw _at >= text.Length
                ? Error("this '{{' has no closing '}}'", open)
                : Error($"expected '}}}}', found '{text[_at]}'", _at);
        }
        return _at + 2;
    }

    private string Pipeline()
    {
        if (++_depth > MaxDepth)
            throw Error($"more than {MaxDepth} nested parentheses", _at);
        var value = Command(null);
        SkipBlanks();
        while (_at < text.Length && text[_at] == '|')
        {
            _at++;
            value = Command(value);
            SkipBlanks();
        }
        _depth--;
        return value;
    }

    /// <param name="piped">The value before the pipe: the last argument of the function.</param>
    private string Command(string? piped)
    {
        SkipBlanks();
        var at = _at;
        if (_at < text.Length && (char.IsLetter(text[_at]) || text[_at] == '_'))
        {
            var name = Identifier();
            if (Keywords.Contains(name))
            {
                throw Error(
                    $"'{name}' of Go's templates is not supported here; use HCL's own expressions instead", at);
            }
            var arguments = Arguments();
            if (piped is not null)
                arguments.Add(piped);
            return GoTemplateFunctions.Call(name, arguments, scope, at);
        }
        var value = Operand();
        SkipBlanks();
        if (piped is not null)
            throw Error("expected a function after '|'", at);
        if (StartsOperand())
            throw Error("a value cannot be called with arguments; expected '|' or '}}'", _at);
        return value;
    }

    private List<string> Arguments()
    {
        var arguments = new List<string>();
        SkipBlanks();
        while (StartsOperand())
        {
            arguments.Add(Operand());
            SkipBlanks();
        }
        return arguments;
    }

    private bool StartsOperand() =>
        _at < text.Length && !At("}}") && !At("-}}") && text[_at] is not ('|' or ')');

    private string Operand()
    {
        var at = _at;
        if (_at >= text.Length)
            throw Error("this '{{' has no closing '}}'", open);
        switch (text[_at])
        {
            case '.':
                return Field();
            case '"':
                return Quoted();
            case '`':
                return Raw();
            case '(':
                _at++;
                var value = Pipeline();
                SkipBlanks();
                if (!At(")"))
                    throw Error("this '(' has no closing ')'", at);
                _at++;
                return value;
            case '$':
                throw Error("variables of Go's templates ('$') are not supported here", at);
            case >= '0' and <= '9' or '-':
                return Number();
            case var c when char.IsLetter(c):
                var name = Identifier();
                return name is "true" or "false" ? name : GoTemplateFunctions.Call(name, [], scope, at);
            case var c:
                throw Error($"unexpected '{c}'", at);
        }
    }

    private string Field()
    {
        var at = _at;
        _at++;
        var name = new StringBuilder(Identifier());
        while (_at < text.Length && text[_at] == '.')
        {
            _at++;
            name.Append('.').Append(Identifier());
        }
        if (name.Length == 0)
            throw Error("expected a field's name after '.'", at);
        if (scope.Fields.TryGetValue(name.ToString(), out var value))
            return value;
        var known = string.Join(", ", scope.Fields.Keys.Order(StringComparer.Ordinal).Select(k => "." + k));
        throw Error(
            $"there is no field '.{name}' here" + (known.Length > 0 ? $"; there are {known}" : ": this text has none"),
            at);
    }

    private string Identifier()
    {
        var from = _at;
        while (_at < text.Length && (char.IsLetterOrDigit(text[_at]) || text[_at] == '_'))
            _at++;
        return text[from.._at];
    }

    private string Number()
    {
        var from = _at;
        if (text[_at] == '-')
            _at++;
        while (_at < text.Length && char.IsAsciiDigit(text[_at]))
            _at++;
        var digits = text[from.._at];
        return int.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
            ? digits
            : throw Error($"'{digits}' is not a whole number", from);
    }

    private string Raw()
    {
        var close = text.IndexOf('`', _at + 1);
        if (close < 0)
            throw Error("this '`' has no closing '`'", _at);
        var value = text[(_at + 1)..close];
        _at = close + 1;
        return value;
    }

    private string Quoted()
    {
        var from = _at++;
        var value = new StringBuilder();
        while (_at < text.Length && text[_at] is not ('"' or '\n'))
        {
            var c = text[_at++];
            value.Append(c == '\\' ? Escape() : c);
        }
        if (_at >= text.Length || text[_at] != '"')
            throw Error("this '\"' has no closing '\"'", from);
        _at++;
        return value.ToString();
    }

    private char Escape()
    {
        var c = _at < text.Length ? text[_at++] : '\0';
        return c switch
        {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '\\' or '"' or '\'' => c,
            _ => throw Error($"unknown escape '\\{c}'; there are \\n, \\t, \\r, \\\\, \\\" and \\'", _at - 2),
        };
    }

    private bool At(string what) => text.AsSpan(Math.Min(_at, text.Length)).StartsWith(what);

    private void SkipBlanks()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
            _at++;
    }

    private static GoTemplateException Error(string message, int at) => new(message, at);
}
