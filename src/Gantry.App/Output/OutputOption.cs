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

/// <summary>The option <c>-o table|json|yaml</c>, which every command that reads has.</summary>
internal static class OutputOption
{
    public static Option<OutputFormat> AddTo(Command command)
    {
        var option = new Option<OutputFormat>("--output", "-o")
        {
            Description = "How to write the result: table, json or yaml",
            HelpName = "FORMAT",
            DefaultValueFactory = _ => OutputFormat.Table,
            CustomParser = result =>
            {
                OutputFormat? format = result.Tokens[0].Value switch
                {
                    "table" => OutputFormat.Table,
                    "json" => OutputFormat.Json,
                    "yaml" => OutputFormat.Yaml,
                    _ => null,
                };
                if (format is null)
                    result.AddError($"'{result.Tokens[0].Value}' is no output format: expected table, json or yaml");
                return format ?? OutputFormat.Table;
            },
        };
        option.CompletionSources.Clear();
        option.CompletionSources.Add("table", "json", "yaml");
        command.Add(option);
        return option;
    }
}
