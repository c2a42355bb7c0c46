using System.Text;
using Gantry.Model;

namespace Gantry.Machines.Guest;

/// <summary>Writes text for a POSIX shell.</summary>
public static class ShellText
{
    /// <summary>
    /// One word that the shell takes as it is, whatever is in it (but for NUL, which no word can hold).
    /// </summary>
    public static string Quote(string text)
    {
        if (text.Contains('\0'))
            throw new ProblemException(ProblemKind.InvalidInput, "a word for a shell can't hold a NUL character");
        return text.Length > 0 && text.All(IsPlain)
            ? text
            : "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
    }

    /// <summary>The command with its variables exported before it; the command as it is when there are none.</summary>
    public static string WithEnvironment(string command, IEnumerable<KeyValuePair<string, string>> environment)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in environment)
        {
            if (!IsVariableName(name))
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput,
                    $"'{name}' can't be the name of an environment variable",
                    "use letters, digits and underscores, not beginning with a digit");
            }

            text.Append("export ").Append(name).Append('=').Append(Quote(value)).Append("; ");
        }

        return text.Append(command).ToString();
    }

    public static bool IsVariableName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static bool IsPlain(char c) =>
        char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '_' or '-' or '+' or ':' or ',';
}
