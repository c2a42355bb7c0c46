using Gantry.Imaging.Definitions;
using Gantry.Model;
using Gantry.Storage.Processes;

namespace Gantry.Imaging.Provisioners;

/// <summary>Packer's <c>shell-local</c>: commands on the host.</summary>
internal sealed class LocalProvisioner(ProvisionerOptions.ShellLocal options, ProvisionContext context)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (options.Inline.Count > 0)
        {
            var path = Path.Combine(Path.GetTempPath(), $"gantry-{context.Variables.Id}-{Environment.ProcessId}.sh");
            await File.WriteAllTextAsync(path, $"#!{options.InlineShebang}\n{string.Join('\n', options.Inline)}\n", cancellationToken).ConfigureAwait(false);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            try
            {
                await RunScriptAsync(path, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                File.Delete(path);
            }
        }

        foreach (var script in options.Scripts)
            await RunScriptAsync(script, cancellationToken).ConfigureAwait(false);
    }

    private async Task RunScriptAsync(string script, CancellationToken cancellationToken)
    {
        List<string> arguments =
        [
            .. options.Environment.Select(variable => $"{variable.Name}={variable.Value}"),
            $"PACKER_BUILD_NAME={context.BuildName}",
            $"PACKER_BUILDER_TYPE={context.BuilderType}",
            "/bin/sh", "-e", script,
        ];
        var result = await HostProgram.RunAsync(
            "env", arguments, "coreutils", cancellationToken, text => context.Log.Output(text.TrimEnd()), Environment.CurrentDirectory).ConfigureAwait(false);
        foreach (var line in result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            context.Log.Output(line);
        if (!options.ValidExitCodes.Contains(result.ExitCode))
        {
            throw new ProblemException(
                ProblemKind.Failed, $"a command on the host failed with exit code {result.ExitCode}", "its output is above");
        }
    }
}
