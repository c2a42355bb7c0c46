using System.Collections;
using System.Collections.Immutable;
using System.CommandLine;
using Gantry.Hcl.Diagnostics;
using Gantry.Imaging.Template;
using Gantry.Model;

namespace Gantry.App.Commands;

/// <summary>The options about a template's variables and builds, which several commands share; Packer's single-hyphen
/// spelling is taken too.</summary>
internal sealed class TemplateOptions
{
    private readonly Option<string[]> _var = new("--var", "-var") { HelpName = "NAME=VALUE", Description = "Set a variable; may be repeated" };
    private readonly Option<string[]> _varFile = new("--var-file", "-var-file") { HelpName = "FILE", Description = "Take variables from a file; may be repeated" };
    private readonly Option<string[]> _only = new("--only", "-only") { HelpName = "PATTERNS", Description = "Build only these, separated by commas: qemu.mini, *.mini" };
    private readonly Option<string[]> _except = new("--except", "-except") { HelpName = "PATTERNS", Description = "Leave these out" };

    public void AddTo(Command command)
    {
        command.Options.Add(_var);
        command.Options.Add(_varFile);
        command.Options.Add(_only);
        command.Options.Add(_except);
    }

    public static Argument<string> PathArgument() =>
        new("template") { HelpName = "FILE_OR_FOLDER", Description = "A *.pkr.hcl file, or a folder of them" };

    /// <summary>Reads the template; warnings go to standard error.</summary>
    /// <exception cref="ProblemException">The template has errors; each is in the detail.</exception>
    public LoadedTemplate Load(CommandContext context, ParseResult parse, string path)
    {
        var template = TemplateLoader.Load(new LoadRequest
        {
            Path = path,
            Variables = Arguments(parse),
            Only = Patterns(parse, _only),
            Except = Patterns(parse, _except),
            Environment = context.Environment,
            EnvironmentNames = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => (string)entry.Key),
            Time = context.Time,
            Entropy = context.Entropy,
        });
        if (template.Diagnostics.HasErrors)
            throw TemplateProblem.Of(template.Diagnostics, context.ErrorStyle.Color);
        if (template.Diagnostics.Count > 0)
            context.Terminal.Error.Write(new DiagnosticRenderer { UsesColor = context.ErrorStyle.Color }.Render(template.Diagnostics));
        return template;
    }

    /// <summary>Variables and files in the order of the command line, because the last one wins.</summary>
    private ImmutableArray<VariableArgument> Arguments(ParseResult parse)
    {
        var values = new Queue<string>(parse.GetValue(_var) ?? []);
        var files = new Queue<string>(parse.GetValue(_varFile) ?? []);
        var arguments = ImmutableArray.CreateBuilder<VariableArgument>();
        foreach (var token in parse.Tokens.Select(token => token.Value.Split('=')[0]))
        {
            if (token is "--var" or "-var" && values.TryDequeue(out var value))
                arguments.Add(Assignment(value));
            else if (token is "--var-file" or "-var-file" && files.TryDequeue(out var file))
                arguments.Add(new VariableArgument.File(file));
        }

        return arguments.ToImmutable();
    }

    private static VariableArgument.Value Assignment(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? new VariableArgument.Value(text[..equals], text[(equals + 1)..])
            : throw new ProblemException(ProblemKind.InvalidInput, $"-var {text} gives no value", "write -var NAME=VALUE");
    }

    private static ImmutableArray<string> Patterns(ParseResult parse, Option<string[]> option) =>
        [.. (parse.GetValue(option) ?? []).SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
}
