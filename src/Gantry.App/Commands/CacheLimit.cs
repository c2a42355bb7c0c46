using System.CommandLine;
using Gantry.Imaging.Builds;
using Gantry.Imaging.Template;
using Gantry.Model;

namespace Gantry.App.Commands;

/// <summary>What the cached steps of builds may take on disk: an option, else a variable of the environment.</summary>
internal sealed class CacheLimit
{
    public const string Variable = "GANTRY_CACHE_LIMIT";

    private readonly Option<string> _limit = new("--cache-limit", "-cache-limit")
    {
        HelpName = "SIZE",
        Description = $"What all cached steps together may take; otherwise {Variable}, or 20G",
    };

    public void AddTo(Command command) => command.Add(_limit);

    /// <summary>Bytes.</summary>
    /// <exception cref="ProblemException">It is no size.</exception>
    public long Of(CommandContext context, ParseResult parse)
    {
        var (source, text) = parse.GetValue(_limit) is { } given
            ? ("--cache-limit", given)
            : (Variable, context.Environment(Variable));
        if (string.IsNullOrEmpty(text))
            return new BuildOptions().CacheLimit;
        return Sizes.TryParse(text, 1L << 20, out var bytes) && bytes >= 0
            ? bytes
            : throw new ProblemException(
                ProblemKind.InvalidInput, $"{source}: '{text}' is no size", "give a size such as 20G, 512M or 0");
    }
}
