using System.Globalization;
using System.Text;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>Texts. Lengths and positions count characters as a reader does (grapheme clusters).</summary>
internal static class StringFunctions
{
    public static IEnumerable<HclFunction> All =>
    [
        Map("chomp", text => text.TrimEnd('\r', '\n')),
        Map("lower", text => text.ToLowerInvariant()),
        Map("upper", text => text.ToUpperInvariant()),
        Map("title", Title),
        Map("trimspace", text => text.Trim()),
        Map("strrev", text => string.Concat(Graphemes(text).AsEnumerable().Reverse())),
        Test("startswith", "prefix", (text, other) => text.StartsWith(other, StringComparison.Ordinal)),
        Test("endswith", "suffix", (text, other) => text.EndsWith(other, StringComparison.Ordinal)),
        Test("strcontains", "substr", (text, other) => text.Contains(other, StringComparison.Ordinal)),
        Function("trim", Text, Trim, Of("str", Text), Of("cutset", Text)),
        Function("trimprefix", Text, TrimPrefix, Of("str", Text), Of("prefix", Text)),
        Function("trimsuffix", Text, TrimSuffix, Of("str", Text), Of("suffix", Text)),
        Function("indent", Text, Indent, Of("spaces", Number), Of("str", Text)),
        Variadic("join", Text, Of("lists", Texts), Join, Of("separator", Text)),
        Function("split", Texts, Split, Of("separator", Text), Of("str", Text)),
        Function("replace", Text, Replace, Of("str", Text), Of("substr", Text), Of("replace", Text)),
        Function("substr", Text, Substring, Of("str", Text), Of("offset", Number), Of("length", Number)),
    ];

    /// <summary>The grapheme clusters of a text.</summary>
    public static List<string> Graphemes(string text)
    {
        var result = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            var length = StringInfo.GetNextTextElementLength(text, at);
            result.Add(text.Substring(at, length));
            at += length;
        }
        return result;
    }

    /// <summary>Number of grapheme clusters of a text.</summary>
    public static int Count(string text)
    {
        // In ASCII only CR LF is a cluster of two.
        if (Ascii.IsValid(text) && !text.Contains('\r'))
            return text.Length;
        var count = 0;
        for (var at = 0; at < text.Length; count++)
            at += StringInfo.GetNextTextElementLength(text, at);
        return count;
    }

    private static HclFunction Map(string name, Func<string, string> body) =>
        Function(name, Text, call => body(call.Text(0)).ToValue(), Of("str", Text));

    private static HclFunction Test(string name, string other, Func<string, string, bool> body) =>
        Function(name, Bool, call => HclValue.Bool(body(call.Text(0), call.Text(1))), Of("str", Text), Of(other, Text));

    // A word starts after anything that is neither letter, digit, underscore nor apostrophe.
    private static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        var before = ' ';
        foreach (var c in text)
        {
            result.Append(char.IsLetterOrDigit(before) || before is '_' or '\'' ? c : char.ToUpperInvariant(c));
            before = c;
        }
        return result.ToString();
    }

    private static HclValue Trim(FunctionCall call)
    {
        var cut = call.Text(1).EnumerateRunes().ToHashSet();
        var runes = call.Text(0).EnumerateRunes().ToList();
        var start = 0;
        var end = runes.Count;
        while (start < end && cut.Contains(runes[start]))
            start++;
        while (end > start && cut.Contains(runes[end - 1]))
            end--;
        return string.Concat(runes[start..end]).ToValue();
    }

    private static HclValue TrimPrefix(FunctionCall call)
    {
        var (text, prefix) = (call.Text(0), call.Text(1));
        return (text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text).ToValue();
    }

    private static HclValue TrimSuffix(FunctionCall call)
    {
        var (text, suffix) = (call.Text(0), call.Text(1));
        return (text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text).ToValue();
    }

    private static HclValue Indent(FunctionCall call)
    {
        var spaces = Math.Max(0, call.Integer(0));
        var text = call.Text(1);
        CheckLength(text.Length + ((long)spaces * text.Count(c => c == '\n')));
        return text.Replace("\n", "\n" + new string(' ', text.Contains('\n') ? spaces : 0), StringComparison.Ordinal).ToValue();
    }

    private static HclValue Join(FunctionCall call)
    {
        var texts = new List<string>();
        for (var i = 1; i < call.Arguments.Length; i++)
        {
            foreach (var item in call[i].AsItems())
            {
                if (item.IsNull)
                    throw new HclException(i, $"element {texts.Count} is null; null can not be joined");
                texts.Add(item.AsString());
            }
        }
        var separator = call.Text(0);
        CheckLength(texts.Sum(text => (long)text.Length + separator.Length));
        return string.Join(separator, texts).ToValue();
    }

    private static HclValue Split(FunctionCall call)
    {
        var (separator, text) = (call.Text(0), call.Text(1));
        List<string> parts = separator.Length == 0
            ? text.EnumerateRunes().Select(rune => rune.ToString()).ToList()
            : [.. text.Split(separator)];
        if (parts.Count > call.Scope.Limits.MaxElements)
            throw new HclException($"there would be more than {call.Scope.Limits.MaxElements} parts");
        return parts.ToTexts();
    }

    private static HclValue Replace(FunctionCall call)
    {
        var (text, old, substitute) = (call.Text(0), call.Text(1), call.Text(2));
        if (old.Length == 0)
        {
            // Before each character, and at the end.
            CheckLength(text.Length + ((text.Length + 1L) * substitute.Length));
            return (substitute + string.Concat(text.EnumerateRunes().Select(rune => rune + substitute))).ToValue();
        }
        var longest = substitute.Length <= old.Length ? text.Length : (long)text.Length / old.Length * substitute.Length + old.Length;
        CheckLength(longest);
        return text.Replace(old, substitute, StringComparison.Ordinal).ToValue();
    }

    private static HclValue Substring(FunctionCall call)
    {
        var characters = Graphemes(call.Text(0));
        var offset = call.Integer(1);
        var length = call.Integer(2);
        if (offset < 0)
            offset = Math.Max(0, offset + characters.Count);
        if (offset >= characters.Count || length == 0)
            return "".ToValue();
        var end = length < 0 ? characters.Count : Math.Min((long)characters.Count, (long)offset + length);
        return string.Concat(characters[offset..(int)end]).ToValue();
    }
}
