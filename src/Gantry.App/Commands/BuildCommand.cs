using System.CommandLine;
using Gantry.App.Hosting;
using Gantry.App.Serving;
using Gantry.Imaging.Builds;
using Gantry.Imaging.Template;
using Gantry.Model;
using Gantry.Model.Tasks;
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
        var forNode = new Option<bool>("--for-node")
        {
            Description = "End when standard input does, and say on the last line how it ended",
            Hidden = true,
        };
        var command = new Command("build", Summary) { path, noCache, force, onError, forNode };
        variables.AddTo(command);
        limit.AddTo(command);
        command.Add(BuildCacheCommand.Build(context));
        command.SetAction(async (parse, cancellationToken) =>
        {
            if (parse.GetValue(forNode))
                return await ForNodeAsync(context, token => RunAsync(parse, token), cancellationToken);
            await RunAsync(parse, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;

        async Task<TaskResult> RunAsync(ParseResult parse, CancellationToken cancellationToken)
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
            var made = TaskResult.Nothing;
            foreach (var build in template.Builds)
            {
                var result = await RunOneAsync(context, node, build, options, template.Secrets, cancellationToken);
                made = made with
                {
                    Templates = [.. made.Templates, .. result.Template is { } one ? [one.Name] : (string[])[]],
                    Files = [.. made.Files, .. result.Files],
                };
            }

            return made;
        }
    }

    private static async Task<int> ForNodeAsync(
        CommandContext context, Func<CancellationToken, Task<TaskResult>> run, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _ = EndWithNodeAsync(end);
        string report;
        try
        {
            report = BuildReport.Done(await run(end.Token));
        }
        catch (ProblemException e)
        {
            report = BuildReport.Failed(e.Problem);
        }

        context.Terminal.Out.Write(report + "\n");
        context.Terminal.Out.Flush();
        return ExitCodes.Ok;
    }

    /// <summary>Standard input is a pipe that the node holds as long as it lives.</summary>
    private static async Task EndWithNodeAsync(CancellationTokenSource end)
    {
        await using var input = Console.OpenStandardInput();
        while (await input.ReadAsync(new byte[1]) > 0)
        {
        }

        await end.CancelAsync();
    }

    private static async Task<BuildResult> RunOneAsync(
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
        return result;
    }
}
