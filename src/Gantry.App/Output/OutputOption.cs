using System.CommandLine;

namespace Gantry.App.Output;

/// <summary>How a read's result is written.</summary>
internal enum OutputFormat
{
    /// <summary>For a person.</summary>
    Table,
    Json,
    Yaml,
}

/// <summary>The option <c>-o table|json|yaml</c>, which every command that reads has. It is an option of text: one of
/// an enum's type would have the parser's generic code compiled at each start.</summary>
internal sealed class OutputOption
{
    private readonly Option<string> _option = new("--output", "-o")
    {
        Description = "How to write the result: table, json or yaml",
        HelpName = "FORMAT",
    };

    private OutputOption()
    {
        _option.CompletionSources.Add("table", "json", "yaml");
        _option.Validators.Add(result =>
        {
            if (result.Tokens is [var token, ..] && Parse(token.Value) is null)
                result.AddError($"'{token.Value}' is no output format: expected table, json or yaml");
        });
    }

    public static OutputOption AddTo(Command command)
    {
        var option = new OutputOption();
        command.Add(option._option);
        return option;
    }

    /// <summary>What was asked for; a table when nothing was.</summary>
    public OutputFormat Of(ParseResult parse) =>
        parse.GetValue(_option) is { } text ? Parse(text) ?? OutputFormat.Table : OutputFormat.Table;

    private static OutputFormat? Parse(string text) => text switch
    {
        "table" => OutputFormat.Table,
        "json" => OutputFormat.Json,
        "yaml" => OutputFormat.Yaml,
        _ => null,
    };
}
