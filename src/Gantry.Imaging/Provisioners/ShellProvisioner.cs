using System.Text;
using Gantry.Imaging.BootCommand;
using Gantry.Imaging.Definitions;
using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.Imaging.Provisioners;

/// <summary>Packer's <c>shell</c>: uploads scripts one after the other and runs each.</summary>
internal sealed class ShellProvisioner(ProvisionerOptions.Shell options, ProvisionContext context)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (options.Inline.Count > 0)
        {
            var text = $"#!{options.InlineShebang}\n{string.Join('\n', options.Inline)}\n";
            await RunScriptAsync("inline script", Encoding.UTF8.GetBytes(text), 0, cancellationToken)
                .ConfigureAwait(false);
        }

        var number = 1;
        foreach (var script in options.Scripts)
        {
            var content = await File.ReadAllBytesAsync(script, cancellationToken).ConfigureAwait(false);
            if (!options.Binary)
                content = UnixLineEnds(content);
            await RunScriptAsync(Path.GetFileName(script), content, number++, cancellationToken).ConfigureAwait(false);
        }

        if (options.PauseAfter > TimeSpan.Zero)
            await Task.Delay(options.PauseAfter, context.Time, cancellationToken).ConfigureAwait(false);
    }

    private async Task RunScriptAsync(string name, byte[] content, int number, CancellationToken cancellationToken)
    {
        var shell = await context.ShellAsync(cancellationToken).ConfigureAwait(false);
        var path = options.RemotePath ?? $"{options.RemoteFolder.TrimEnd('/')}/gantry-script-{number}.sh";
        await shell.UploadAsync(
            new MemoryStream(content),
            path,
            new TransferOptions { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute },
            cancellationToken).ConfigureAwait(false);
        var command = new GuestCommand
        {
            Text = GoTemplate.Render(options.ExecuteCommand, new TemplateScope
            {
                Fields = new Dictionary<string, string> { ["Path"] = path, ["Vars"] = Variables(), ["EnvVarFile"] = "" },
            }).Text,
        };
        var status = await shell.ExecuteAsync(command, line => context.Log.Output(line.Text), cancellationToken)
            .ConfigureAwait(false);
        if (status is ExitStatus.Disconnected && options.ExpectDisconnect)
        {
            context.Log.Note("the guest cut the connection, as was expected");
            await context.DropAsync().ConfigureAwait(false);
            return;
        }

        if (status is not ExitStatus.Exited exited || !options.ValidExitCodes.Contains(exited.Code))
            throw ProvisionFailure.Exit(name, status);
        if (!options.SkipClean && options.RemotePath is null)
            await RemoveAsync(path, cancellationToken).ConfigureAwait(false);
    }

    private async Task RemoveAsync(string path, CancellationToken cancellationToken)
    {
        var shell = await context.ShellAsync(cancellationToken).ConfigureAwait(false);
        await shell.RunAsync($"rm -f {ShellText.Quote(path)}", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Assignments before a command, as Packer writes them.</summary>
    private string Variables()
    {
        var builder = new StringBuilder($"PACKER_BUILD_NAME={ShellText.Quote(context.BuildName)} ")
            .Append($"PACKER_BUILDER_TYPE={ShellText.Quote(context.BuilderType)} ");
        if (context.Variables.HttpAddress.Length > 0)
        {
            builder.Append($"PACKER_HTTP_ADDR={ShellText.Quote(context.Variables.HttpAddress)} ")
                .Append($"PACKER_HTTP_IP={ShellText.Quote(context.Variables.HttpIp)} ")
                .Append($"PACKER_HTTP_PORT={ShellText.Quote(context.Variables.HttpPort)} ");
        }

        foreach (var variable in options.Environment)
            builder.Append(variable.Name).Append('=').Append(ShellText.Quote(variable.Value)).Append(' ');
        return builder.ToString();
    }

    private static byte[] UnixLineEnds(byte[] content) =>
        content.AsSpan().Contains((byte)'\r')
            ? Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(content).Replace("\r\n", "\n", StringComparison.Ordinal))
            : content;
}
