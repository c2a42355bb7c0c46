using Gantry.Machines.Catalog;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage;

namespace Gantry.Machines.Guest;

/// <summary>
/// Finds where a running machine's SSH server is and who logs in there, and knows its host key again.
/// </summary>
public sealed class MachineLogin(MachineHost host, TemplateCatalog templates, DataFolders folders, TimeProvider time)
{
    private const int SshPort = 22;

    /// <summary>Where the guest's SSH is, with the node's own key unless another one's file is named.</summary>
    /// <param name="machine">A running machine.</param>
    /// <param name="user">Who logs in; null takes cloud-init's user, the template's, or root.</param>
    /// <param name="keyFile">A private key's file; null takes the node's key.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="ProblemException">The machine does not run, or does not publish its port 22.</exception>
    public async Task<SshTarget> TargetAsync(
        MachineRecord machine, string? user, string? keyFile, CancellationToken cancellationToken)
    {
        var (address, port) = GuestPorts.Find(host, machine, SshPort);
        if (user is null && machine.Spec.CloudInit?.User is { Length: > 0 } own)
            user = own;
        if (user is null && machine.Template is { } id)
            user = (await templates.FindByIdAsync(id, cancellationToken).ConfigureAwait(false))?.LoginUser;
        var key = keyFile is null ? await NodeKey.GetAsync(folders, cancellationToken).ConfigureAwait(false) : null;
        return new SshTarget
        {
            Host = address,
            Port = port,
            User = string.IsNullOrEmpty(user) ? "root" : user,
            PrivateKey = key?.PrivateKey,
            PrivateKeyFile = keyFile,
            ExpectedHostKey = KnownHostKey.Read(folders, machine),
        };
    }

    /// <summary>Logs in, waiting for a guest that still boots, and remembers its host key at first contact.</summary>
    /// <exception cref="ProblemException">It did not let one in; the summary says why.</exception>
    public async Task<GuestShell> ConnectAsync(
        MachineRecord machine, SshTarget target, TimeSpan patience, Action<SshObservation>? progress, CancellationToken cancellationToken)
    {
        var differs = false;
        try
        {
            var shell = await SshWaiter.WaitAsync(
                target,
                time.GetUtcNow() + patience,
                time,
                met =>
                {
                    differs = met is SshObservation.HostKeyDiffers;
                    progress?.Invoke(met);
                },
                cancellationToken).ConfigureAwait(false);
            if (target.ExpectedHostKey is null)
                KnownHostKey.Remember(folders, machine.Number, shell.HostKey);
            return shell;
        }
        catch (ProblemException e) when (differs)
        {
            var remedy = $"if its host keys were made anew, accept the new one: gantry ssh --new-host-key {machine.Spec.Name}; "
                + "if not, something else answers on its port";
            throw new ProblemException(e.Problem with { Remedy = remedy }, e);
        }
    }
}
