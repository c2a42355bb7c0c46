using System.CommandLine;
using Gantry.App.Commands;
using Gantry.App.Output;

namespace Gantry.App.CommandLine;

/// <summary>What <c>--help</c> prints. The overview comes from the table alone, so it needs no command built.</summary>
internal static class HelpText
{
    private const int UsualWidth = 100;
    private const int NarrowestText = 30;
    private static readonly CommandGroup[] Groups = [CommandGroup.Machines, CommandGroup.Builds, CommandGroup.Host];

    public static void WriteOverview(TextWriter writer, IEnumerable<CommandEntry> commands, int? width)
    {
        writer.Write("Gantry: from an installer ISO to a machine that stays up\n\nUsage: gantry COMMAND [OPTIONS]\n");
        // Plain loops, here and below: queries over enums and pairs are generic code that is compiled at each start.
        foreach (var group in Groups)
        {
            List<string[]> rows = [];
            foreach (var entry in commands)
            {
                if (!entry.Hidden && entry.Group == group)
                    rows.Add([entry.Name, entry.Summary]);
            }

            WriteSection(writer, Heading(group), rows, width);
        }

        writer.Write("\n'gantry COMMAND --help' says more about a command.\n");
    }

    /// <param name="path">The words that call it: <c>gantry image list</c>.</param>
    public static void WriteCommand(TextWriter writer, Command command, string path, int? width)
    {
        writer.Write($"Usage: {Usage(command, path)}\n");
        if (command.Description is { Length: > 0 } description)
        {
            writer.Write("\n");
            foreach (var paragraph in description.Split('\n'))
                WriteWrapped(writer, paragraph, indent: 0, width);
        }

        WriteSection(writer, "Commands", [.. command.Subcommands.Where(IsShown).Select(
            sub => new[] { sub.Name, FirstSentence(sub.Description) })], width);
        WriteSection(writer, "Arguments", [.. command.Arguments.Where(IsShown).Select(
            argument => new[] { Placeholder(argument), argument.Description ?? "" })], width);
        WriteSection(writer, "Options", [.. command.Options.Where(IsShown).Select(
            option => new[] { OptionLabel(option), option.Description ?? "" })], width);
    }

    /// <summary>How an argument is called in usage lines and errors: its help name, or its name in capitals.</summary>
    public static string Placeholder(Argument argument) => argument.HelpName ?? argument.Name.ToUpperInvariant();

    /// <summary><c>-o, --output FORMAT</c>; the same name with one hyphen (Packer's way) goes without saying.</summary>
    public static string OptionLabel(Option option)
    {
        var names = option.Aliases.Append(option.Name).Distinct()
            .Where(name => name != "-?" && "-" + name != option.Name)
            .OrderBy(name => name.Length).ThenBy(name => name, StringComparer.Ordinal);
        var label = string.Join(", ", names);
        return TakesValue(option) ? label + " " + (option.HelpName ?? "VALUE") : label;
    }

    public static bool TakesValue(Option option) =>
        option.Arity.MaximumNumberOfValues > 0 && option.ValueType != typeof(bool) && option.ValueType != typeof(bool?);

    private static bool IsShown(Symbol symbol) => !symbol.Hidden;

    private static string Heading(CommandGroup group) => group switch
    {
        CommandGroup.Machines => "Machines",
        CommandGroup.Builds => "Templates and builds",
        CommandGroup.Host => "This host and this program",
    };

    private static string Usage(Command command, string path)
    {
        var usage = path;
        if (command.Subcommands.Any(IsShown))
            usage += " COMMAND";
        if (command.Options.Any(IsShown))
            usage += " [OPTIONS]";
        foreach (var argument in command.Arguments.Where(IsShown))
        {
            var name = Placeholder(argument);
            if (argument.Arity.MaximumNumberOfValues > 1)
                name += "...";
            usage += argument.Arity.MinimumNumberOfValues == 0 ? $" [{name}]" : " " + name;
        }

        return usage;
    }

    private static string FirstSentence(string? text) => text is null ? "" : text.Split('\n')[0].TrimEnd('.');

    private static void WriteSection(TextWriter writer, string heading, List<string[]> rows, int? width)
    {
        if (rows.Count == 0)
            return;
        writer.Write($"\n{heading}:\n");
        WriteColumns(writer, rows, width);
    }

    private static void WriteColumns(TextWriter writer, List<string[]> rows, int? width)
    {
        var left = 0;
        foreach (var row in rows)
            left = Math.Max(left, row[0].Length + 4);
        foreach (var row in rows)
        {
            writer.Write(("  " + row[0]).PadRight(left));
            WriteWrapped(writer, row[1], left, width, begun: true);
        }
    }

    private static void WriteWrapped(TextWriter writer, string text, int indent, int? width, bool begun = false)
    {
        var room = Math.Max(NarrowestText, (width ?? UsualWidth) - 1 - indent);
        var used = begun ? 0 : -1;
        foreach (var word in text.Split(' '))
        {
            var length = DisplayText.Width(word);
            if (used > 0 && used + 1 + length > room)
            {
                writer.Write("\n");
                used = -1;
            }

            if (used < 0)
                writer.Write(new string(' ', indent));
            writer.Write(used > 0 ? " " + word : word);
            used = Math.Max(used, 0) + length + (used > 0 ? 1 : 0);
        }

        writer.Write("\n");
    }
}
