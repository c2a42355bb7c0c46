using System.Text;
using Gantry.Imaging.Definitions;
using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.Imaging.Provisioners;

/// <summary>Packer's <c>file</c>: copies files into the guest or out of it.</summary>
internal sealed class FileProvisioner(ProvisionerOptions.File options, ProvisionContext context)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var shell = await context.ShellAsync(cancellationToken).ConfigureAwait(false);
        if (options.Content is { } content)
        {
            context.Log.Output($"{content.Length} characters → {options.Destination}");
            await shell.UploadAsync(
                new MemoryStream(Encoding.UTF8.GetBytes(content)), options.Destination, new TransferOptions(), cancellationToken)
                .ConfigureAwait(false);
        }

        var transfer = new TransferOptions { Progress = done => context.Log.Amount(done, null, "bytes") };
        foreach (var source in options.Sources)
        {
            context.Log.Output($"{source} → {options.Destination}");
            if (options.Download)
            {
                await shell.DownloadPathAsync(source, options.Destination, transfer, cancellationToken)
                    .ConfigureAwait(false);
            }
            else
            {
                if (!Path.Exists(source))
                {
                    throw new ProblemException(
                        ProblemKind.NotFound, $"there is no file or folder {source} to upload",
                        options.Generated ? "the step that should have made it did not" : "check the path, relative to the template's folder");
                }

                await shell.UploadPathAsync(source, options.Destination, transfer, cancellationToken)
                    .ConfigureAwait(false);
            }
        }
    }
}
