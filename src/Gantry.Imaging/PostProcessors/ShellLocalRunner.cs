using System.Text;
using Gantry.Imaging.BootCommand;
using Gantry.Imaging.Definitions;
using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.Imaging.PostProcessors;

/// <summary>
/// Packer's <c>shell-local</c>, as provisioner and as post-processor: runs scripts on this host, one after the other.
/// </summary>
public sealed class ShellLocalRunner(TimeProvider time)
{
    private static readonly ValueList<string> DefaultCommand = ["/bin/sh", "-c", "{{.Vars}} {{.Script}}"];

    /// <summary>Runs them all; the first that ends with a code that is not valid ends the run.</summary>
    /// <param name="buildName">Goes into PACKER_BUILD_NAME.</param>
    /// <param name="builderType">Goes into PACKER_BUILDER_TYPE.</param>
    /// <param name="workingFolder">Where they run, and where relative scripts begin.</param>
    /// <param name="moreVariables">More variables for the scripts, such as the guest's address.</param>
    /// <exception cref="ProblemException">A script is missing or failed.</exception>
    public async Task RunAsync(
        ProvisionerOptions.ShellLocal options, string buildName, string builderType, string workingFolder,
        IEnumerable<EnvironmentVariable> moreVariables, Action<OutputLine> onLine, CancellationToken cancellationToken)
    {
        var variables = options.Environment.Concat(moreVariables)
            .Append(new EnvironmentVariable("PACKER_BUILD_NAME", buildName))
            .Append(new EnvironmentVariable("PACKER_BUILDER_TYPE", builderType))
            .ToList();
        if (variables.FirstOrDefault(v => !ShellText.IsVariableName(v.Name)) is { } bad)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"'{bad.Name}' can't be the name of an environment variable",
                "use letters, digits and underscores, not beginning with a digit");
        }

        var scripts = options.Scripts.Select(script => Path.GetFullPath(script, workingFolder)).ToList();
        if (scripts.FirstOrDefault(script => !File.Exists(script)) is { } missing)
            throw new ProblemException(ProblemKind.NotFound, $"there is no script {missing}", "check the path");
        if (options.Inline.Count > 0)
            await RunInlineAsync(options, variables, workingFolder, onLine, cancellationToken);
        foreach (var script in scripts)
            await RunScriptAsync(script, Path.GetFileName(script), options, variables, workingFolder, onLine, cancellationToken);
    }

    private async Task RunInlineAsync(
        ProvisionerOptions.ShellLocal options, List<EnvironmentVariable> variables, string workingFolder,
        Action<OutputLine> onLine, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("gantry-shell-");
        try
        {
            var path = Path.Combine(folder.FullName, "script");
            var text = $"#!{options.InlineShebang}\n{string.Join('\n', options.Inline)}\n";
            await File.WriteAllTextAsync(path, text, new UTF8Encoding(false), cancellationToken);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            await RunScriptAsync(path, "the inline script", options, variables, workingFolder, onLine, cancellationToken);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task RunScriptAsync(
        string path, string name, ProvisionerOptions.ShellLocal options, List<EnvironmentVariable> variables,
        string workingFolder, Action<OutputLine> onLine, CancellationToken cancellationToken)
    {
        var command = Command(options, path, variables);
        var environment = variables.Select(v => new KeyValuePair<string, string>(v.Name, v.Value));
        var code = await HostProcess.RunAsync(command, workingFolder, environment, onLine, time, cancellationToken);
        if (!options.ValidExitCodes.Contains(code))
        {
            throw new ProblemException(
                ProblemKind.Failed,
                $"{name} of shell-local ended with exit code {code}, expected {string.Join(" or ", options.ValidExitCodes)}",
                code == 126 ? "make the script executable" : "see its output above");
        }
    }

    private static List<string> Command(
        ProvisionerOptions.ShellLocal options, string script, List<EnvironmentVariable> variables)
    {
        var template = options.ExecuteCommand.Count > 0 ? options.ExecuteCommand : DefaultCommand;
        var vars = string.Concat(variables.OrderBy(v => v.Name, StringComparer.Ordinal).Select(v => $"{v.Name}={Single(v.Value)} "));
        var fields = new Dictionary<string, string> { ["Vars"] = vars, ["Script"] = script, ["Command"] = script };
        try
        {
            return [.. template.Select(word => GoTemplate.Render(word, new TemplateScope { Fields = fields }).Text)];
        }
        catch (GoTemplateException e)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"the execute_command of shell-local is wrong: {e.Message}",
                "it may hold {{.Vars}} and {{.Script}}",
                inner: e);
        }
    }

    /// <summary>Always in quotes, as Packer writes it, so that a template that cuts them off finds them.</summary>
    private static string Single(string value) => "'" + value.Replace("'", "'\"'\"'", StringComparison.Ordinal) + "'";
}
