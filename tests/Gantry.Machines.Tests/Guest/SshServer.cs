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
        var line = $"exec /usr/sbin/sshd -D -e -f {folder}/sshd_config";
        return rootPassword is null
            ? await BeginAsync(folder, port, clientKey, "/bin/sh", "-c", line)
            : await BeginAsync(folder, port, clientKey, "/usr/bin/unshare", await OwnShadow(folder, rootPassword, line));
    }

    /// <summary>Dropbear, which has no SFTP here.</summary>
    public static async Task<SshServer> StartDropbearAsync(params string[] options)
    {
        var (folder, port, clientKey) = await PrepareAsync();
        await RunAsync("dropbearkey", "-t", "ed25519", "-f", $"{folder}/host.dropbear");
        var printed = await RunAsync("dropbearkey", "-y", "-f", $"{folder}/host.dropbear");
        var line = printed.Split('\n').First(l => l.StartsWith("ssh-ed25519 ", StringComparison.Ordinal));
        await File.WriteAllTextAsync($"{folder}/host.pub", line);
        // It looks for keys in the home folder only: give it another.
        Directory.CreateDirectory($"{folder}/.ssh");
        File.Copy($"{folder}/authorized_keys", $"{folder}/.ssh/authorized_keys");
        var passwd = $"{folder}/passwd";
        var lines = await File.ReadAllLinesAsync("/etc/passwd");
        await File.WriteAllLinesAsync(passwd, lines.Select(l => l.StartsWith($"{Environment.UserName}:", StringComparison.Ordinal)
            ? string.Join(':', l.Split(':').Select((field, i) => i == 5 ? folder : field))
            : l));
        var command = $"mount --bind {passwd} /etc/passwd && exec /usr/sbin/dropbear -F -E -p 127.0.0.1:{port} "
            + $"-r {folder}/host.dropbear {string.Join(' ', options)}";
        return await BeginAsync(folder, port, clientKey, "/usr/bin/unshare", "-m", "/bin/sh", "-c", command);
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

    /// <summary>A mount namespace of its own, where root has a known password and nobody else sees it.</summary>
    private static async Task<string[]> OwnShadow(string folder, string password, string line)
    {
        var hash = (await RunAsync("openssl", "passwd", "-6", password)).Trim();
        await File.WriteAllTextAsync($"{folder}/shadow", $"root:{hash}:19000:0:99999:7:::\n");
        File.SetUnixFileMode($"{folder}/shadow", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return ["-m", "/bin/sh", "-c", $"mount --bind {folder}/shadow /etc/shadow && {line}"];
    }

    private static async Task<SshServer> BeginAsync(
        string folder, int port, SshKeyPair clientKey, string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var publicKey = await File.ReadAllTextAsync($"{folder}/host.pub");
        Assert.True(SshHostKey.TryParse(publicKey, out var hostKey));
        return new SshServer(folder, port, clientKey, hostKey!, process);
    }
}
