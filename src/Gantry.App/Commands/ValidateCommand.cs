using System.CommandLine;

namespace Gantry.App.Commands;

/// <summary>
/// <c>gantry validate</c>: everything that can be known to be wrong with a template, without starting anything.
/// </summary>
internal static class ValidateCommand
{
    public const string Summary = "Check a template file";

    public static Command Build(CommandContext context)
    {
        var path = TemplateOptions.PathArgument();
        var variables = new TemplateOptions();
        var command = new Command("validate", Summary) { path };
        variables.AddTo(command);
        command.SetAction(parse =>
        {
            var template = variables.Load(context, parse, parse.GetValue(path)!);
            foreach (var build in template.Builds)
                Imaging.Builds.BuildPreparer.CheckBootCommand(build.Source);
            context.Terminal.Out.Write(
                $"{parse.GetValue(path)} is right: {string.Join(", ", template.Builds.Select(build => build.Name))}\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
