using System.Collections.Immutable;
using System.Text;

namespace Gantry.Imaging.BootCommand;

/// <summary>
/// The part of Go's template language that Packer's templates use in strings: fields, the functions of
/// <see cref="GoTemplateFunctions"/>, pipes, parentheses, comments and trim markers. Conditions, loops and
/// variables are refused with a message. Unlike Go, a field that does not exist is an error.
/// </summary>
public static class GoTemplate
{
    /// <summary>The most text that a template may give, in characters.</summary>
    private const int MaxLength = 1 << 20;

    /// <summary>Renders a template.</summary>
    /// <exception cref="GoTemplateException">It has an error, or refers to what the scope lacks.</exception>
    public static RenderedTemplate Render(string template, TemplateScope scope)
    {
        var text = new StringBuilder(template.Length);
        var pieces = ImmutableArray.CreateBuilder<RenderedTemplate.Piece>();
        var at = 0;
        while (at < template.Length)
        {
            var open = template.IndexOf("{{", at, StringComparison.Ordinal);
            var end = open < 0 ? template.Length : open;
            var trimLeft = open >= 0 && IsTrim(template, open + 2, after: true);
            var literal = trimLeft ? template.AsSpan(at, end - at).TrimEnd() : template.AsSpan(at, end - at);
            if (!literal.IsEmpty)
                pieces.Add(new(text.Length, at, true));
            text.Append(literal);
            if (open < 0)
                break;
            var parser = new GoTemplateParser(template, open + (trimLeft ? 3 : 2), open, scope);
            var value = parser.Action(out at, out var trimRight);
            pieces.Add(new(text.Length, open, false));
            text.Append(value);
            if (text.Length > MaxLength)
                throw new GoTemplateException($"the result has more than {MaxLength} characters", open);
            while (trimRight && at < template.Length && char.IsWhiteSpace(template[at]))
                at++;
        }
        return new RenderedTemplate(text.ToString(), pieces.ToImmutable());
    }

    /// <summary>Whether a trim marker (a minus with white space on its inner side) stands here.</summary>
    internal static bool IsTrim(string text, int at, bool after)
    {
        if (at < 0 || at >= text.Length || text[at] != '-')
            return false;
        var inner = after ? at + 1 : at - 1;
        return inner >= 0 && inner < text.Length && char.IsWhiteSpace(text[inner]);
    }
}
