using Gantry.Machines.Guest;

namespace Gantry.Machines.Tests.Guest;

/// <summary>One OpenSSH server and one login for the tests of a class.</summary>
public sealed class OpenSshFixture : IAsyncLifetime
{
    public SshServer Server { get; private set; } = null!;

    public GuestShell Shell { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await SshServer.StartOpenSshAsync();
        Shell = await Server.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Shell.DisposeAsync();
        await Server.DisposeAsync();
    }
}

/// <summary>One dropbear, without SFTP, and one login for the tests of a class.</summary>
public sealed class DropbearFixture : IAsyncLifetime
{
    public SshServer Server { get; private set; } = null!;

    public GuestShell Shell { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await SshServer.StartDropbearAsync();
        Shell = await Server.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Shell.DisposeAsync();
        await Server.DisposeAsync();
    }
}
