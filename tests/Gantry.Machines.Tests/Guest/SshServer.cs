using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Gantry.Machines.Guest;

namespace Gantry.Machines.Tests.Guest;

/// <summary>
/// A real SSH server as a plain process on loopback, with keys and settings of its own in a temporary folder.
/// Needs Debian's openssh-server and openssh-client, or dropbear-bin.
/// </summary>
public sealed class SshServer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _log;

    private SshServer(string folder, int port, SshKeyPair clientKey, SshHostKey hostKey, Process process)
    {
        Folder = folder;
        Port = port;
        ClientKey = clientKey;
        HostKey = hostKey;
        _process = process;
        _log = process.StandardError.ReadToEndAsync();
    }

    public string Folder { get; }

    public int Port { get; }

    public SshKeyPair ClientKey { get; }

    public SshHostKey HostKey { get; }

    public SshTarget Target => new()
    {
        Host = "127.0.0.1",
        Port = Port,
        User = Environment.UserName,
        PrivateKey = ClientKey.PrivateKey,
    };

    /// <summary>OpenSSH's server; lines of <paramref name="settings"/> come first, so they win.</summary>
    public static async Task<SshServer> StartOpenSshAsync(
        string settings = "", bool sftp = true, string? rootPassword = null)
    {
        var (folder, port, clientKey) = await PrepareAsync();
        await RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", $"{folder}/host");
        await File.WriteAllTextAsync($"{folder}/sshd_config", $"""
            {settings}
            ListenAddress 127.0.0.1:{port}
            HostKey {folder}/host
            PidFile none
            AuthorizedKeysFile {folder}/authorized_keys
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PermitUserEnvironment no
            LogLevel ERROR
            {(sftp ? "Subsystem sftp internal-sftp" : "")}

            """);
        Directory.CreateDirectory("/run/sshd");
        return await BeginAsync(
            folder, port, clientKey, $"exec /usr/sbin/sshd -D -e -f {folder}/sshd_config", rootPassword);
    }

    /// <summary>Dropbear, which has no SFTP here.</summary>
    public static async Task<SshServer> StartDropbearAsync(params string[] options)
    {
        var (folder, port, clientKey) = await PrepareAsync();
        await RunAsync("dropbearkey", "-t", "ed25519", "-f", $"{folder}/host.dropbear");
        var printed = await RunAsync("dropbearkey", "-y", "-f", $"{folder}/host.dropbear");
        var line = printed.Split('\n').First(l => l.StartsWith("ssh-ed25519 ", StringComparison.Ordinal));
        await File.WriteAllTextAsync($"{folder}/host.pub", line);
        return await BeginAsync(
            folder,
            port,
            clientKey,
            $"[ -d /usr/lib/openssh ] && mount -t tmpfs none /usr/lib/openssh; exec /usr/sbin/dropbear -F -E -p 127.0.0.1:{port} -r {folder}/host.dropbear {string.Join(' ', options)}",
            null);
    }

    public Task<GuestShell> ConnectAsync() => SshWaiter.WaitAsync(
        Target, DateTimeOffset.UtcNow.AddSeconds(20), TimeProvider.System, null, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        await _log;
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Ends the server and its connections as a crash would.</summary>
    public void Kill() => _process.Kill(entireProcessTree: true);

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} failed: {await error}");
        return output;
    }

    private static async Task<(string Folder, int Port, SshKeyPair Key)> PrepareAsync()
    {
        var folder = Directory.CreateTempSubdirectory("gantry-ssh-").FullName;
        var key = SshKeyPair.Generate("test");
        await File.WriteAllTextAsync($"{folder}/authorized_keys", key.PublicKey + "\n");
        return (folder, FreePort(), key);
    }

    /// <summary>
    /// Runs the server in a mount namespace of its own, where the account has a home folder with only the test's key
    /// (dropbear looks there), a plain shell without anybody's start-up files, and a known password if asked for.
    /// </summary>
    private static async Task<SshServer> BeginAsync(
        string folder, int port, SshKeyPair clientKey, string server, string? password)
    {
        Assert.True(Environment.IsPrivilegedProcess, "an SSH server with an account of its own needs root");
        Directory.CreateDirectory($"{folder}/.ssh");
        File.Copy($"{folder}/authorized_keys", $"{folder}/.ssh/authorized_keys");
        await File.WriteAllTextAsync($"{folder}/passwd", $"root:x:0:0:root:{folder}:/bin/sh\nsshd:x:101:65534::/run/sshd:/bin/false\n");
        var script = $"mount --bind {folder}/passwd /etc/passwd";
        if (password is not null)
        {
            var hash = (await RunAsync("openssl", "passwd", "-6", password)).Trim();
            await File.WriteAllTextAsync($"{folder}/shadow", $"root:{hash}:19000:0:99999:7:::\n");
            File.SetUnixFileMode($"{folder}/shadow", UnixFileMode.UserRead | UnixFileMode.UserWrite);
            script += $" && mount --bind {folder}/shadow /etc/shadow";
        }

        var process = Process.Start(new ProcessStartInfo("/usr/bin/unshare", ["-m", "/bin/sh", "-c", $"{script} && {server}"])
        {
            RedirectStandardError = true,
        })!;
        Assert.True(SshHostKey.TryParse(await File.ReadAllTextAsync($"{folder}/host.pub"), out var hostKey));
        return new SshServer(folder, port, clientKey, hostKey!, process);
    }
}
