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
    /// <param name="context">For completion.</param>
    /// <param name="description">What it says in the help.</param>
    /// <param name="optional">Whether none may be given: the command then has another way to say which.</param>
    public static Argument<string[]> Machines(
        CommandContext context, string description = "The machines' names or numbers", bool optional = false)
    {
        var argument = new Argument<string[]>("machines")
        {
            HelpName = "MACHINE",
            Description = description,
            Arity = optional ? ArgumentArity.ZeroOrMore : ArgumentArity.OneOrMore,
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
