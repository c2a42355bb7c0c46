using Gantry.Imaging.Builds;
using Gantry.Imaging.Definitions;
using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.Imaging.Provisioners;

/// <summary>What a provisioner works with.</summary>
public sealed class ProvisionContext(
    Func<CancellationToken, Task<GuestShell>> connect, BuildVariables variables, string buildName, string builderType, BuildLog log, TimeProvider time)
    : IAsyncDisposable
{
    private GuestShell? _shell;

    public BuildVariables Variables => variables;

    public string BuildName => buildName;

    public string BuilderType => builderType;

    public BuildLog Log => log;

    public TimeProvider Time => time;

    /// <summary>The login to the guest; made at the first use, and anew after the guest cut it.</summary>
    public async Task<GuestShell> ShellAsync(CancellationToken cancellationToken)
    {
        if (_shell is { IsConnected: true })
            return _shell;
        await DropAsync().ConfigureAwait(false);
        return _shell = await connect(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Forgets the login, for example because the machine was loaded from a layer.</summary>
    public async Task DropAsync()
    {
        if (_shell is not null)
            await _shell.DisposeAsync().ConfigureAwait(false);
        _shell = null;
    }

    public async ValueTask DisposeAsync() => await DropAsync().ConfigureAwait(false);
}

/// <summary>A provisioner ran and did not succeed.</summary>
internal static class ProvisionFailure
{
    public static ProblemException Exit(string what, ExitStatus status) => new(
        ProblemKind.Failed,
        $"{what} failed in the guest: {status}",
        "its output is above; -on-error=abort keeps the machine open for a look");
}
