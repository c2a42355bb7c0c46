using System.Text;
using System.Text.RegularExpressions;

namespace Gantry.Hcl.Functions;

/// <summary>File patterns: <c>*</c> and <c>?</c> within a name, <c>**</c> across folders, <c>[...]</c>, <c>{a,b}</c>.</summary>
internal static class Glob
{
    private const int MaxLength = 2_000;

    public static Regex Compile(string pattern, int argument)
    {
        if (pattern.Length > MaxLength)
            throw new HclException(argument, $"a pattern may have at most {MaxLength} characters");
        var result = new StringBuilder("^");
        var braces = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            var rest = pattern.AsSpan(i);
            switch (pattern[i])
            {
                case '*' when rest.StartsWith("**/"):
                    result.Append("(?:[^/]+/)*");
                    i += 2;
                    break;
                case '*' when rest.StartsWith("**"):
                    result.Append(".*");
                    i++;
                    break;
                case '*':
                    result.Append("[^/]*");
                    break;
                case '?':
                    result.Append("[^/]");
                    break;
                case '[' when rest[1..].IndexOf(']') > 0:
                    i = Class(pattern, i, result);
                    break;
                case '{':
                    braces++;
                    result.Append("(?:");
                    break;
                case '}' when braces > 0:
                    braces--;
                    result.Append(')');
                    break;
                case ',' when braces > 0:
                    result.Append('|');
                    break;
                case '\\' when rest.Length > 1:
                    result.Append(Regex.Escape(pattern[++i].ToString()));
                    break;
                default:
                    result.Append(Regex.Escape(pattern[i].ToString()));
                    break;
            }
        }
        try
        {
            return new Regex(
                result.Append("\\z").ToString(),
                RegexOptions.NonBacktracking | RegexOptions.Singleline | RegexOptions.CultureInvariant);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            throw new HclException(argument, $"syntax error in the pattern \"{pattern}\"");
        }
    }

    private static int Class(string pattern, int at, StringBuilder result)
    {
        var end = pattern.IndexOf(']', at + 2);
        if (end < 0)
            throw new HclException(1, $"syntax error in the pattern \"{pattern}\": a bracket is not closed");
        var content = pattern[(at + 1)..end];
        var negated = content[0] is '!' or '^';
        result.Append(negated ? "[^/" : "[");
        foreach (var c in negated ? content[1..] : content)
            _ = c is '-' ? result.Append(c) : result.Append($"\\u{(int)c:X4}");
        result.Append(']');
        return end;
    }
}
