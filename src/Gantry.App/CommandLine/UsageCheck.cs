using System.CommandLine;
using System.CommandLine.Parsing;

namespace Gantry.App.CommandLine;

/// <summary>
/// Refuses what the parser lets through, and says what is wrong in Gantry's words. The parser binds an unknown option
/// to any argument that is still free (<c>gantry delete --forse web</c> would delete a machine of that name), so
/// whatever looks like an option must be one, but for what stands behind <c>--</c>.
/// </summary>
internal static class UsageCheck
{
    /// <param name="path">The words that called the command, for messages: <c>image list</c>.</param>
    public static void Check(ParseResult parse, string path)
    {
        RefuseUnknownOptions(parse, path);
        var command = parse.CommandResult;
        foreach (var argument in command.Command.Arguments)
        {
            var given = parse.GetResult(argument)?.Tokens.Count ?? 0;
            if (given < argument.Arity.MinimumNumberOfValues)
                throw new UsageException($"'{path}' needs a {HelpText.Placeholder(argument)}");
        }

        if (parse.UnmatchedTokens is [var extra, ..])
        {
            var commands = command.Command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name).ToArray();
            throw commands.Length > 0
                ? new UsageException($"'{path}' has no command '{extra}'", Suggestion.For(extra, commands))
                : new UsageException($"'{path}' was given one word too many: '{extra}'");
        }

        if (command.Command.Subcommands.Count > 0 && command.Command.Action is null)
            throw new UsageException($"'{path}' needs a command behind it");
        if (parse.Errors is [var error, ..])
            throw new UsageException(InOurStyle(error.Message));
    }

    private static void RefuseUnknownOptions(ParseResult parse, string path)
    {
        var command = parse.CommandResult;
        // Behind a command that takes another command's words, such as exec, anything goes.
        var free = command.Command.Arguments.Where(argument => argument.CaptureRemainingTokens)
            .Select(argument => parse.GetResult(argument)?.Tokens.Count ?? 0).Sum();
        var words = parse.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).ToList();
        var behind = parse.Tokens.Count - words.Count - 1;
        if (free > Math.Max(behind, 0))
            words.RemoveRange(words.Count - (free - Math.Max(behind, 0)), free - Math.Max(behind, 0));

        var values = OptionValues(command);
        foreach (var word in words)
        {
            if (word.Type != TokenType.Argument || !word.Value.StartsWith('-') || word.Value == "-")
                continue;
            if (values.Any(value => ReferenceEquals(value, word)))
                continue;
            var name = word.Value.Split('=', ':')[0];
            throw new UsageException(
                $"'{path}' has no option {name}", Suggestion.For(name, OptionNames(command)));
        }
    }

    /// <summary>A value may look like an option (<c>-qemu-arg -nographic</c>): it was taken by an option.</summary>
    private static List<Token> OptionValues(CommandResult command)
    {
        List<Token> values = [];
        for (SymbolResult? level = command; level is not null; level = level.Parent)
        {
            if (level is CommandResult one)
                values.AddRange(one.Children.OfType<OptionResult>().SelectMany(option => option.Tokens));
        }

        return values;
    }

    private static IEnumerable<string> OptionNames(CommandResult command)
    {
        for (SymbolResult? level = command; level is not null; level = level.Parent)
        {
            if (level is not CommandResult one)
                continue;
            foreach (var option in one.Command.Options.Where(option => !option.Hidden))
            {
                yield return option.Name;
                foreach (var alias in option.Aliases)
                    yield return alias;
            }
        }
    }

    private static string InOurStyle(string message)
    {
        var text = message.TrimEnd('.');
        return text.Length > 1 && char.IsUpper(text[0]) && char.IsLower(text[1])
            ? char.ToLowerInvariant(text[0]) + text[1..]
            : text;
    }
}
