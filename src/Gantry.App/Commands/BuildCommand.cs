using System.CommandLine;
using Gantry.App.Hosting;
using Gantry.Imaging.Builds;
using Gantry.Imaging.Template;
using Gantry.Model;
using Gantry.Storage;

namespace Gantry.App.Commands;

/// <summary><c>gantry build</c>: templates in, artifacts out.</summary>
internal static class BuildCommand
{
    public const string Summary = "Build machines from a template file";

    public static Command Build(CommandContext context)
    {
        var path = TemplateOptions.PathArgument();
        var variables = new TemplateOptions();
        var noCache = new Option<bool>("--no-cache", "-no-cache") { Description = "Neither use steps of earlier builds nor keep new ones" };
        var force = new Option<bool>("--force", "-force") { Description = "Replace output that is there already" };
        var onError = new Option<string>("--on-error", "-on-error")
        {
            Description = "What a failure leaves: cleanup, abort (the machine stays) or ask",
            DefaultValueFactory = _ => "cleanup",
        };
        onError.AcceptOnlyFromAmong("cleanup", "abort", "ask");
        var limit = new CacheLimit();
        var command = new Command("build", Summary) { path, noCache, force, onError };
        variables.AddTo(command);
        limit.AddTo(command);
        command.Add(BuildCacheCommand.Build(context));
        command.SetAction(async (parse, cancellationToken) =>
        {
            var template = variables.Load(context, parse, parse.GetValue(path)!);
            var options = new BuildOptions
            {
                NoCache = parse.GetValue(noCache),
                Force = parse.GetValue(force),
                CacheLimit = limit.Of(context, parse),
                OnError = parse.GetValue(onError) switch { "abort" => OnError.Abort, "ask" => OnError.Ask, _ => OnError.Cleanup },
            };
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            await node.SweepAsync(cancellationToken);
            foreach (var build in template.Builds)
                await RunOneAsync(context, node, build, options, template.Secrets, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task RunOneAsync(
        CommandContext context,
        GantryNode node,
        Imaging.Definitions.BuildDefinition build,
        BuildOptions options,
        IReadOnlyList<string> secrets,
        CancellationToken cancellationToken)
    {
        BuildResult result;
        using (var view = context.StartProgress())
        {
            view.Note($"Building {build.Name}");
            var asking = context.Terminal.InIsTerminal
                ? options with { Ask = (question, token) => FailurePrompt.AskAsync(context.Terminal, view, question, token) } : options;
            result = await node.Builder.RunAsync(build, asking, secrets, view, cancellationToken);
            view.Complete();
        }

        var output = context.Terminal.Out;
        output.Write($"Built {result.Name} in {result.Elapsed.TotalSeconds:0.0} s");
        output.Write(result.CachedSteps > 0 ? $" ({result.CachedSteps} steps from the cache)\n" : "\n");
        if (result.Template is { } template)
            output.Write($"  template {template.Name}: start a machine of it with gantry launch {template.Name}\n");
        foreach (var file in result.Files)
            output.Write($"  {file}\n");
    }
}
