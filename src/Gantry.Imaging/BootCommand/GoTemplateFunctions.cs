using System.Globalization;
using System.Text;

namespace Gantry.Imaging.BootCommand;

/// <summary>The functions of Packer's string templates that need no cloud account.</summary>
internal static class GoTemplateFunctions
{
    private delegate string Function(IReadOnlyList<string> arguments, TemplateScope scope);

    private static readonly SortedDictionary<string, (int Least, int Most, Function Body)> Table =
        new(StringComparer.Ordinal)
        {
            ["build"] = (1, 1, (a, s) => Known(s.Build, a[0], "value of the build")),
            ["build_name"] = (0, 0, (_, s) => s.BuildName),
            ["build_type"] = (0, 0, (_, s) => s.BuildType),
            ["clean_resource_name"] = (1, 1, (a, _) => Clean(a[0])),
            ["env"] = (1, 1, (a, s) => Environment(a[0], s)),
            ["isotime"] = (0, 1, (a, s) => GoTime.Format(s.Started.ToUniversalTime(), a.Count > 0 ? a[0] : GoTime.Rfc3339)),
            ["lower"] = (1, 1, (a, _) => a[0].ToLowerInvariant()),
            ["packer_version"] = (0, 0, (_, s) => s.PackerVersion),
            ["print"] = (0, 16, (a, _) => string.Concat(a)),
            ["printf"] = (1, 16, (a, _) => Printf(a)),
            ["pwd"] = (0, 0, (_, s) => s.WorkingFolder),
            ["replace"] = (4, 4, (a, _) => Replace(a[3], a[0], a[1], Number(a[2]))),
            ["replace_all"] = (3, 3, (a, _) => Replace(a[2], a[0], a[1], -1)),
            ["split"] = (3, 3, (a, _) => Split(a[0], a[1], Number(a[2]))),
            ["template_dir"] = (0, 0, (_, s) => s.TemplateFolder),
            ["timestamp"] = (0, 0, (_, s) => s.Started.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
            ["upper"] = (1, 1, (a, _) => a[0].ToUpperInvariant()),
            ["user"] = (1, 1, (a, s) => Known(s.UserVariables, a[0], "user variable")),
        };

    /// <exception cref="GoTemplateException">There is no such function, or it cannot be called so.</exception>
    public static string Call(string name, IReadOnlyList<string> arguments, TemplateScope scope, int at)
    {
        if (!Table.TryGetValue(name, out var function))
            throw new GoTemplateException($"there is no function '{name}'; there are {string.Join(", ", Table.Keys)}", at);
        if (arguments.Count < function.Least || arguments.Count > function.Most)
        {
            var wanted = function.Least == function.Most
                ? $"{function.Least}" : $"{function.Least} to {function.Most}";
            throw new GoTemplateException($"'{name}' takes {wanted} arguments, found {arguments.Count}", at);
        }
        try
        {
            return function.Body(arguments, scope);
        }
        catch (ArgumentException e)
        {
            throw new GoTemplateException($"{name}: {e.Message}", at);
        }
    }

    private static string Known(IReadOnlyDictionary<string, string> values, string name, string what)
    {
        if (values.TryGetValue(name, out var value))
            return value;
        var known = string.Join(", ", values.Keys.Order(StringComparer.Ordinal));
        throw new ArgumentException($"there is no {what} '{name}'" + (known.Length > 0 ? $"; there are {known}" : ""));
    }

    private static string Environment(string name, TemplateScope scope) =>
        scope.Environment is { } environment
            ? environment(name) ?? ""
            : throw new ArgumentException("environment variables can be read in variables' defaults only");

    /// <param name="most">How often at most; negative means always.</param>
    private static string Replace(string text, string from, string to, int most)
    {
        if (from.Length == 0)
            throw new ArgumentException("the text to replace is empty");
        var result = new StringBuilder();
        var at = 0;
        for (var i = 0; most < 0 || i < most; i++)
        {
            var found = text.IndexOf(from, at, StringComparison.Ordinal);
            if (found < 0)
                break;
            result.Append(text, at, found - at).Append(to);
            at = found + from.Length;
        }
        return result.Append(text, at, text.Length - at).ToString();
    }

    private static string Split(string text, string separator, int index)
    {
        var parts = separator.Length == 0 ? [text] : text.Split(separator);
        return index >= 0 && index < parts.Length
            ? parts[index]
            : throw new ArgumentException($"'{text}' has {parts.Length} parts, there is no part {index}");
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number : throw new ArgumentException($"expected a whole number, found '{text}'");

    /// <summary>What cloud providers allow in names: other characters become dashes.</summary>
    private static string Clean(string text) =>
        string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-'));

    private static string Printf(IReadOnlyList<string> arguments)
    {
        var result = new StringBuilder();
        var next = 1;
        for (var i = 0; i < arguments[0].Length; i++)
        {
            var c = arguments[0][i];
            if (c != '%')
            {
                result.Append(c);
                continue;
            }
            var verb = ++i < arguments[0].Length ? arguments[0][i] : ' ';
            if (verb == '%')
                result.Append('%');
            else if (verb is not ('s' or 'v' or 'd' or 'q'))
                throw new ArgumentException($"the verb '%{verb}' is not supported; there are %s, %v, %d, %q and %%");
            else if (next >= arguments.Count)
                throw new ArgumentException("the format has more verbs than there are arguments");
            else
                result.Append(verb == 'q' ? $"\"{arguments[next++]}\"" : arguments[next++]);
        }
        return next == arguments.Count
            ? result.ToString() : throw new ArgumentException("there are more arguments than the format has verbs");
    }
}
