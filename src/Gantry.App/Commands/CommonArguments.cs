using System.CommandLine;

namespace Gantry.App.Commands;

/// <summary>Arguments that many commands have, with their completion.</summary>
internal static class CommonArguments
{
    /// <summary>A machine, by its name or its number.</summary>
    public static Argument<string> Machine(CommandContext context, string description = "The machine's name or number")
    {
        var argument = new Argument<string>("machine") { HelpName = "MACHINE", Description = description };
        argument.CompletionSources.Add(_ => context.Names.Machines());
        return argument;
    }

    /// <summary>One machine or more.</summary>
    public static Argument<string[]> Machines(
        CommandContext context, string description = "The machines' names or numbers")
    {
        var argument = new Argument<string[]>("machines")
        {
            HelpName = "MACHINE",
            Description = description,
            Arity = ArgumentArity.OneOrMore,
        };
        argument.CompletionSources.Add(_ => context.Names.Machines());
        return argument;
    }

    public static Argument<string> Template(CommandContext context, string description = "The template's name")
    {
        var argument = new Argument<string>("template") { HelpName = "TEMPLATE", Description = description };
        argument.CompletionSources.Add(_ => context.Names.Templates());
        return argument;
    }
}
