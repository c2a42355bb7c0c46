using System.CommandLine;
using Gantry.App.CommandLine;

namespace Gantry.App.Commands;

/// <summary>
/// <c>gantry __complete -- WORD...</c>, which the shells' scripts call: prints what the last word, perhaps empty, may
/// become; one candidate a line, with a tab and a description where there is one. The line <c>:files</c> asks the shell
/// for file names.
/// </summary>
internal static class CompleteCommand
{
    public const string Name = "__complete";

    public const string Summary = "Print candidates for a shell's completion";

    public static Command Build(CommandContext context)
    {
        var words = new Argument<string[]>("words")
        {
            Arity = ArgumentArity.ZeroOrMore,
            CaptureRemainingTokens = true,
        };
        var command = new Command(Name, Summary) { words };
        command.SetAction(parse =>
        {
            foreach (var (value, description) in Candidates(parse.GetValue(words) ?? [], CommandTable.All, context))
                context.Terminal.Out.Write(description.Length > 0 ? $"{value}\t{description}\n" : value + "\n");
        });
        return command;
    }

    internal static IEnumerable<(string Value, string Description)> Candidates(
        IReadOnlyList<string> words, IReadOnlyList<CommandEntry> commands, CommandContext context)
    {
        if (words.Count <= 1)
        {
            var start = words.Count == 0 ? "" : words[0];
            return commands.Where(entry => !entry.Hidden && entry.Name.StartsWith(start, StringComparison.Ordinal))
                .Select(entry => (entry.Name, entry.Summary));
        }

        if (words[0] == "help")
            return Candidates([.. words.Skip(1)], commands, context);
        if (commands.FirstOrDefault(entry => entry.Name == words[0]) is not { } found)
            return [];
        return new Position(CommandRunner.Tree(found.Build(context)), words).Candidates();
    }

    /// <summary>Where in a command's tree the cursor stands.</summary>
    private sealed class Position
    {
        private readonly List<Option> _options;
        private readonly string _word;
        private readonly Command _command;
        private readonly Option? _open;
        private readonly int _arguments;
        private readonly bool _onlyArguments;

        public Position((Command Root, Option<bool> Help) tree, IReadOnlyList<string> words)
        {
            _word = words[^1];
            _command = tree.Root.Subcommands[0];
            _options = [tree.Help, .. _command.Options];
            foreach (var word in words.Skip(1).SkipLast(1))
            {
                if (_open is not null)
                    _open = null;
                else if (!_onlyArguments && word == "--")
                    _onlyArguments = true;
                else if (!_onlyArguments && word.StartsWith('-') && word.Length > 1)
                    _open = OptionNamed(word) is { } option && HelpText.TakesValue(option) ? option : null;
                else if (_command.Subcommands.FirstOrDefault(sub => sub.Name == word) is { } sub)
                {
                    _command = sub;
                    _options.AddRange(sub.Options);
                }
                else
                    _arguments++;
            }
        }

        public IEnumerable<(string Value, string Description)> Candidates()
        {
            if (_open is not null)
                return Values(_open);
            if (!_onlyArguments && _word.StartsWith('-'))
                return Options();
            // A command may have both arguments and commands of its own (snapshot); these come first in a line.
            if (_command.Subcommands.Count > 0 && _arguments == 0)
            {
                var commands = _command.Subcommands.Where(sub => !sub.Hidden && Begins(sub.Name))
                    .Select(sub => (sub.Name, (sub.Description ?? "").Split('\n')[0]));
                return _command.Arguments.Count == 0 ? commands : commands.Concat(Values(_command.Arguments[0]));
            }

            var index = 0;
            foreach (var argument in _command.Arguments)
            {
                index += Math.Min(argument.Arity.MaximumNumberOfValues, 100_000);
                if (_arguments < index)
                    return Values(argument);
            }

            return [];
        }

        private IEnumerable<(string, string)> Options() =>
            from option in _options
            where !option.Hidden
            from name in option.Aliases.Append(option.Name).Distinct()
            where Begins(name) && (name.StartsWith("--", StringComparison.Ordinal) || name == option.Name)
            select (name, option.Description ?? "");

        /// <summary>What the symbol's own sources know; files where it has none: most values are.</summary>
        private IEnumerable<(string, string)> Values(Symbol symbol)
        {
            var sources = symbol switch
            {
                Argument argument => argument.CompletionSources,
                Option option => option.CompletionSources,
                _ => [],
            };
            if (sources.Count == 0)
                return [(":files", "")];
            var values = sources.SelectMany(source => source(System.CommandLine.Completions.CompletionContext.Empty));
            return values.Where(item => Begins(item.Label)).Select(item => (item.Label, item.Detail ?? ""));
        }

        private bool Begins(string name) => name.StartsWith(_word, StringComparison.Ordinal);

        private Option? OptionNamed(string word) =>
            _options.FirstOrDefault(option => option.Name == word || option.Aliases.Contains(word));
    }
}
