using System.Text;
using System.Text.RegularExpressions;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>Regular expressions, in time linear to the text whatever the pattern.</summary>
internal static class RegexFunctions
{
    private const int MaxPattern = 10_000;
    private const int MaxMatches = 100_000;

    public static IEnumerable<HclFunction> All =>
    [
        Function("regex", Any, First, Of("pattern", Text), Of("string", Text)),
        Function("regexall", Any, Every, Of("pattern", Text), Of("string", Text)),
        Function("regex_replace", Text, Replace, Of("str", Text), Of("pattern", Text), Of("replace", Text)),
    ];

    private static Regex Compile(FunctionCall call, int index)
    {
        var pattern = call.Text(index);
        if (pattern.Length > MaxPattern)
            throw new HclException(index, $"a pattern may have at most {MaxPattern} characters");
        try
        {
            return new Regex(
                RegexTranslator.Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (ArgumentException exception)
        {
            throw new HclException(index, $"this is no regular expression that is understood: {exception.Message}");
        }
        catch (NotSupportedException)
        {
            throw new HclException(
                index,
                "this is no regular expression that is understood: it uses lookaround, back-references or something "
                    + "else that RE2 does not have");
        }
    }

    private static HclValue First(FunctionCall call)
    {
        var regex = Compile(call, 0);
        var match = regex.Match(call.Text(1));
        return match.Success ? Captures(regex, match) : throw new HclException(
            "pattern did not match any part of the given string");
    }

    private static HclValue Every(FunctionCall call)
    {
        var regex = Compile(call, 0);
        var results = new List<HclValue>();
        for (var match = regex.Match(call.Text(1)); match.Success; match = match.NextMatch())
        {
            if (results.Count >= MaxMatches)
                throw new HclException($"there are more than {MaxMatches} matches");
            results.Add(Captures(regex, match));
        }
        return HclValue.List(ResultType(regex), results);
    }

    // No groups: the match. Unnamed groups: a tuple. Named groups: an object.
    private static HclValue Captures(Regex regex, Match match)
    {
        var groups = Groups(regex);
        if (groups.Count == 0)
            return match.Value.ToValue();
        if (int.TryParse(groups[0], out _))
            return HclValue.Tuple(groups.Select(Value));
        return HclValue.Object(groups.Select(name => KeyValuePair.Create(name, Value(name))));

        HclValue Value(string name) =>
            match.Groups[name] is { Success: true } group ? group.Value.ToValue() : HclValue.Null(Text);
    }

    private static HclType ResultType(Regex regex)
    {
        var groups = Groups(regex);
        if (groups.Count == 0)
            return Text;
        return int.TryParse(groups[0], out _)
            ? HclType.Tuple(groups.Select(_ => Text))
            : HclType.Object(groups.Select(name => KeyValuePair.Create(name, Text)));
    }

    private static List<string> Groups(Regex regex)
    {
        var names = regex.GetGroupNames().Where(name => name != "0").ToList();
        var numbered = names.Count(name => int.TryParse(name, out _));
        return numbered == 0 || numbered == names.Count
            ? names
            : throw new HclException(
                0,
                "this is no regular expression that is understood: groups with names and groups without can not be mixed");
    }

    private static HclValue Replace(FunctionCall call)
    {
        var regex = Compile(call, 1);
        var (text, template) = (call.Text(0), call.Text(2));
        var result = new StringBuilder();
        var from = 0;
        for (var match = regex.Match(text); match.Success; match = match.NextMatch())
        {
            result.Append(text, from, match.Index - from);
            Expand(result, template, match);
            CheckLength(result.Length);
            from = match.Index + match.Length;
        }
        return result.Append(text, from, text.Length - from).ToString().ToValue();
    }

    // $1, $name and ${name}; the longest name is meant; an unknown one is empty; $$ is a dollar sign.
    private static void Expand(StringBuilder result, string template, Match match)
    {
        for (var i = 0; i < template.Length;)
        {
            if (template[i] != '$' || i + 1 >= template.Length)
            {
                result.Append(template[i++]);
                continue;
            }
            if (template[i + 1] == '$')
            {
                result.Append('$');
                i += 2;
                continue;
            }
            var braced = template[i + 1] == '{';
            var start = braced ? i + 2 : i + 1;
            var end = start;
            while (end < template.Length && (char.IsAsciiLetterOrDigit(template[end]) || template[end] == '_'))
                end++;
            if (end == start || (braced && (end >= template.Length || template[end] != '}')))
            {
                result.Append(template[i++]);
                continue;
            }
            result.Append(match.Groups[template[start..end]].Value);
            i = braced ? end + 1 : end;
        }
    }
}
