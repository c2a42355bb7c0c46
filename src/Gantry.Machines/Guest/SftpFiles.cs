using System.Net.Sockets;
using Gantry.Model;
using Renci.SshNet;
using Renci.SshNet.Common;
using Renci.SshNet.Sftp;

namespace Gantry.Machines.Guest;

/// <summary>Copies files over SFTP, on a connection of its own: the library shares none between its clients.</summary>
internal sealed class SftpFiles : IAsyncDisposable
{
    private const int MaxEntries = 200_000;
    private const int MaxDepth = 64;

    private readonly SftpClient _client;

    private SftpFiles(SftpClient client) => _client = client;

    public bool IsConnected => _client.IsConnected;

    /// <summary>Opens it; null and why where the guest has no SFTP.</summary>
    public static async Task<(SftpFiles? Files, string Reason)> OpenAsync(
        SshTarget target, TimeProvider time, CancellationToken cancellationToken)
    {
        var info = new ConnectionInfo(target.Host, target.Port, target.User, SshCredentials.Methods(target))
        {
            Timeout = target.HandshakeTimeout,
        };
        if (target.ExpectedHostKey?.Type is { } type)
            SshCredentials.OnlyHostKeysOf(info, type);
        var client = new SftpClient(info);
        client.HostKeyReceived += (_, e) =>
            e.CanTrust = target.ExpectedHostKey?.Matches(SshHostKey.FromBlob(e.HostKey)) ?? true;
        try
        {
            await Task.Run(() => client.ConnectAsync(cancellationToken), cancellationToken)
                .WaitAsync(target.HandshakeTimeout * 2, time, cancellationToken);
            return (new SftpFiles(client), "");
        }
        catch (Exception e) when (IsExpected(e) || e is TimeoutException)
        {
            _ = Task.Run(client.Dispose, CancellationToken.None);
            return (null, e.Message);
        }
        catch
        {
            _ = Task.Run(client.Dispose, CancellationToken.None);
            throw;
        }
    }

    public async Task UploadAsync(
        Stream content, UploadDestination destination, TransferOptions options, CancellationToken cancellationToken)
    {
        var (path, name) = destination;
        await GuardAsync($"write {path}", async () =>
        {
            if (name is not null && path.EndsWith('/'))
                await MakeFoldersAsync(path, cancellationToken);
            if (name is not null && await KindAsync(path, cancellationToken) == true)
                path = GuestFiles.Join(path, name);
            if (await KindAsync(path, cancellationToken) == true)
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput, $"could not write {path} in the guest: it is a folder", "name a file in it");
            }

            await WriteAsync(content, path, options.Mode, options.Progress, cancellationToken);
        });
    }

    public Task UploadFolderAsync(
        IReadOnlyList<LocalEntry> entries, string remote, TransferOptions options, CancellationToken cancellationToken) =>
        GuardAsync($"write into {remote}", async () =>
        {
            await MakeFoldersAsync(remote, cancellationToken);
            long done = 0;
            foreach (var entry in entries)
            {
                var path = GuestFiles.Join(remote, entry.Name);
                if (entry.IsFolder)
                {
                    await MakeFoldersAsync(path, cancellationToken);
                    continue;
                }

                await using var content = new FileStream(
                    entry.FullPath, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous);
                var before = done;
                await WriteAsync(
                    content, path, options.Mode ?? entry.Mode, n => options.Progress?.Invoke(before + n), cancellationToken);
                done += content.Length;
            }
        });

    public Task DownloadAsync(
        string path, Stream destination, TransferOptions options, CancellationToken cancellationToken) =>
        GuardAsync($"read {path}", async () =>
        {
            await using var counted = new CountingStream(destination, options.Progress);
            await _client.DownloadFileAsync(path, counted, cancellationToken);
        });

    public async Task<bool> IsFolderAsync(string path, CancellationToken cancellationToken)
    {
        bool? kind = null;
        await GuardAsync($"look at {path}", async () => kind = await KindAsync(path, cancellationToken));
        return kind ?? throw new ProblemException(
            ProblemKind.NotFound, $"there is no file or folder {path} in the guest", "check the path");
    }

    public Task DownloadFolderAsync(
        string remote, string local, TransferOptions options, CancellationToken cancellationToken)
    {
        var count = 0;
        long done = 0;
        return GuardAsync($"read {remote}", () => FolderAsync(remote.Length == 0 ? "/" : remote, local, 0));

        async Task FolderAsync(string folder, string target, int depth)
        {
            Directory.CreateDirectory(target);
            await foreach (var entry in _client.ListDirectoryAsync(folder, cancellationToken))
            {
                if (entry.Name is "." or "..")
                    continue;
                if (++count > MaxEntries || depth > MaxDepth || entry.Name.Contains('/'))
                {
                    throw new ProblemException(
                        ProblemKind.Failed, $"{remote} in the guest is too large or too deep, at {folder}/{entry.Name}");
                }

                var path = LocalTree.Inside(target, entry.Name);
                if (entry.IsDirectory)
                {
                    await FolderAsync(GuestFiles.Join(folder, entry.Name), path, depth + 1);
                }
                else if (entry.IsRegularFile)
                {
                    var before = done;
                    await LocalTree.WriteAsync(path, async stream =>
                    {
                        await using var counted = new CountingStream(stream, n => options.Progress?.Invoke(before + n));
                        await _client.DownloadFileAsync(entry.FullName, counted, cancellationToken);
                        done += counted.Count;
                    });
                }
            }
        }
    }

    public async ValueTask DisposeAsync() => await Task.Run(_client.Dispose);

    private async Task WriteAsync(
        Stream content, string path, UnixFileMode? mode, Action<long>? progress, CancellationToken cancellationToken)
    {
        await using var counted = new CountingStream(content, progress);
        if (mode is { } wanted && (wanted & (UnixFileMode)0x3F) == 0)
        {
            // A secret must never be readable by others, not even while it is written.
            await using (await _client.OpenAsync(path, FileMode.Create, FileAccess.Write, cancellationToken))
            {
            }

            ChangeMode(path, wanted);
        }

        await _client.UploadFileAsync(counted, path, cancellationToken);
        if (mode is { } final)
            ChangeMode(path, final);
        var size = (await _client.GetAttributesAsync(path, cancellationToken)).Size;
        if (size != counted.Count)
        {
            throw new ProblemException(
                ProblemKind.Failed,
                $"{path} in the guest is not what was sent: {counted.Count} bytes were sent, it has {size}",
                "see whether the guest's disk is full");
        }
    }

    /// <summary>The library wants the octal digits as a decimal number.</summary>
    private void ChangeMode(string path, UnixFileMode mode)
    {
        var bits = (int)mode & 0xFFF;
        var digits = ((bits >> 9) * 1000) + ((bits >> 6 & 7) * 100) + ((bits >> 3 & 7) * 10) + (bits & 7);
        _client.ChangePermissions(path, (short)digits);
    }

    private async Task MakeFoldersAsync(string path, CancellationToken cancellationToken)
    {
        var made = path.StartsWith('/') ? "/" : "";
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            made = made.Length == 0 ? part : GuestFiles.Join(made, part);
            if (await KindAsync(made, cancellationToken) is null)
                await _client.CreateDirectoryAsync(made, cancellationToken);
        }
    }

    /// <summary>True for a folder, false for anything else, null where there is nothing.</summary>
    private async Task<bool?> KindAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return (await _client.GetAttributesAsync(path, cancellationToken)).IsDirectory;
        }
        catch (SftpPathNotFoundException)
        {
            return null;
        }
    }

    private static async Task GuardAsync(string what, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (SftpPathNotFoundException e)
        {
            throw new ProblemException(
                ProblemKind.NotFound, $"could not {what} in the guest: no such file or folder", "check the path", inner: e);
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw new ProblemException(ProblemKind.Failed, $"could not {what} in the guest: {e.Message}", inner: e);
        }
    }

    private static bool IsExpected(Exception e) => e is SshException or SocketException or ObjectDisposedException;
}
