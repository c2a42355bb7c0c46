using System.CommandLine;
using System.Text.Json.Serialization;
using Gantry.App.Output;
using Gantry.Imaging.Builds;
using Gantry.Imaging.Template;
using Gantry.Model;

namespace Gantry.App.Commands;

/// <summary><c>gantry inspect</c>: what a template would build, and of what values.</summary>
internal static class InspectCommand
{
    public const string Summary = "Show what a template file would build";

    public static Command Build(CommandContext context)
    {
        var path = TemplateOptions.PathArgument();
        var variables = new TemplateOptions();
        var command = new Command("inspect", Summary) { path };
        variables.AddTo(command);
        var output = OutputOption.AddTo(command);
        command.SetAction(parse =>
        {
            var template = variables.Load(context, parse, parse.GetValue(path)!);
            var view = new TemplateFileView
            {
                Variables = template.Variables.Select(ViewOf).ToValueList(),
                Locals = template.Locals.Select(ViewOf).ToValueList(),
                Builds = template.Builds.Select(build => new BuildView
                {
                    Name = build.Name,
                    Isa = Model.Machines.IsaNames.Name(build.Source.Isa),
                    MemoryMiB = build.Source.MemoryMiB,
                    Steps = BuildSteps.Of(build).ToValueList(),
                }).ToValueList(),
            };
            context.Output.Write(
                new Rendered<TemplateFileView>(view, () => TemplateFileViewJson.Default.TemplateFileView, Fields),
                output.Of(parse));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static ValueView ViewOf(TemplateValue value) =>
        new() { Name = value.Name, Value = value.Text, Sensitive = value.Sensitive };

    private static FieldList Fields(TemplateFileView view)
    {
        var fields = new FieldList();
        foreach (var variable in view.Variables)
            fields.Add($"variable {variable.Name}", variable.Value);
        foreach (var local in view.Locals)
            fields.Add($"local {local.Name}", local.Value);
        foreach (var build in view.Builds)
        {
            fields.Add($"build {build.Name}", $"{build.Isa}, {build.MemoryMiB} MiB of memory");
            foreach (var step in build.Steps)
                fields.Add("", step);
        }

        return fields;
    }
}

internal sealed record TemplateFileView
{
    public required ValueList<ValueView> Variables { get; init; }

    public required ValueList<ValueView> Locals { get; init; }

    public required ValueList<BuildView> Builds { get; init; }
}

internal sealed record ValueView
{
    public required string Name { get; init; }

    /// <summary>As HCL writes it; a sensitive one is not shown.</summary>
    public required string Value { get; init; }

    public required bool Sensitive { get; init; }
}

internal sealed record BuildView
{
    public required string Name { get; init; }

    public required string Isa { get; init; }

    public required int MemoryMiB { get; init; }

    public required ValueList<string> Steps { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TemplateFileView))]
internal sealed partial class TemplateFileViewJson : JsonSerializerContext;
