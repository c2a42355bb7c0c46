using Gantry.Model;
using Renci.SshNet;

namespace Gantry.Machines.Guest;

/// <summary>Copies files and folders, choosing the way (<see cref="TransferMethod"/>).</summary>
internal sealed class GuestFiles(GuestShell shell, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Below this a second handshake costs an emulated guest more than SFTP saves.</summary>
    private const long SmallSize = 8 * 1024 * 1024;

    private readonly ShellFiles _shellFiles = new(shell);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private SftpFiles? _sftp;
    private bool _sftpMissing;
    private string _sftpReason = "";

    public async Task UploadAsync(
        Stream content, string remotePath, TransferOptions options, CancellationToken cancellationToken)
    {
        var destination = new UploadDestination(RemotePath(remotePath), null);
        await UploadStreamAsync(content, destination, options, cancellationToken);
    }

    public async Task UploadPathAsync(
        string localPath, string remotePath, TransferOptions options, CancellationToken cancellationToken)
    {
        var remote = RemotePath(remotePath);
        if (Directory.Exists(localPath))
        {
            var entries = LocalTree.Read(localPath);
            if (!localPath.EndsWith('/'))
                remote = Join(remote, Path.GetFileName(Path.GetFullPath(localPath)));
            await ChooseAsync(
                options.Method,
                preferSftp: false,
                canRepeat: true,
                _ => _shellFiles.UploadFolderAsync(entries, remote.TrimEnd('/'), options, cancellationToken),
                sftp => sftp.UploadFolderAsync(entries, remote.TrimEnd('/'), options, cancellationToken),
                cancellationToken);
            return;
        }

        if (!File.Exists(localPath))
        {
            throw new ProblemException(
                ProblemKind.NotFound, $"there is no file or folder {localPath} to copy into the guest", "check the path");
        }

        await using var content = new FileStream(
            localPath, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous);
        var mode = options.Mode ?? File.GetUnixFileMode(content.SafeFileHandle);
        var destination = new UploadDestination(remote, Path.GetFileName(localPath));
        await UploadStreamAsync(content, destination, options with { Mode = mode }, cancellationToken);
    }

    public Task DownloadAsync(
        string remotePath, Stream destination, TransferOptions options, CancellationToken cancellationToken)
    {
        var remote = RemotePath(remotePath);
        return ChooseAsync(
            options.Method,
            preferSftp: false,
            canRepeat: destination.CanSeek,
            repeat =>
            {
                Rewind(destination, repeat);
                return _shellFiles.DownloadAsync(remote, destination, options, cancellationToken);
            },
            sftp =>
            {
                Rewind(destination, destination.CanSeek);
                return sftp.DownloadAsync(remote, destination, options, cancellationToken);
            },
            cancellationToken);
    }

    public async Task DownloadPathAsync(
        string remotePath, string localPath, TransferOptions options, CancellationToken cancellationToken)
    {
        var remote = RemotePath(remotePath);
        var isFolder = false;
        await ChooseAsync(
            options.Method,
            preferSftp: false,
            canRepeat: true,
            async _ => isFolder = await _shellFiles.IsFolderAsync(remote, cancellationToken),
            async sftp => isFolder = await sftp.IsFolderAsync(remote, cancellationToken),
            cancellationToken);
        var name = BaseName(remote);
        if (isFolder)
        {
            var local = remote.EndsWith('/') ? localPath : Path.Combine(localPath, name);
            Directory.CreateDirectory(local);
            await ChooseAsync(
                options.Method,
                preferSftp: false,
                canRepeat: true,
                _ => _shellFiles.DownloadFolderAsync(remote, local, options, cancellationToken),
                sftp => sftp.DownloadFolderAsync(remote.TrimEnd('/'), local, options, cancellationToken),
                cancellationToken);
            return;
        }

        var file = localPath.EndsWith('/') || Directory.Exists(localPath) ? Path.Combine(localPath, name) : localPath;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        await LocalTree.WriteAsync(
            file, stream => DownloadAsync(remotePath, stream, options, cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        if (_sftp is not null)
            await _sftp.DisposeAsync();
        _gate.Dispose();
    }

    /// <summary>Checks a path of the guest; <c>~/</c> is where both a shell and SFTP begin.</summary>
    internal static string RemotePath(string path)
    {
        if (path.StartsWith("~/", StringComparison.Ordinal))
            path = path.Length > 2 ? path[2..] : "./";
        if (path.Length == 0 || path.Contains('\0'))
            throw new ProblemException(ProblemKind.InvalidInput, "a path in the guest can't be empty or hold NUL");
        return path[0] == '-' ? "./" + path : path;
    }

    internal static string Join(string folder, string name) =>
        name.Length == 0 ? folder : folder.EndsWith('/') ? folder + name : $"{folder}/{name}";

    private static string BaseName(string path)
    {
        var trimmed = path.TrimEnd('/');
        return trimmed[(trimmed.LastIndexOf('/') + 1)..];
    }

    private static void Rewind(Stream stream, bool doIt)
    {
        if (!doIt || !stream.CanSeek)
            return;
        stream.Position = 0;
        if (stream.CanWrite)
            stream.SetLength(0);
    }

    private Task UploadStreamAsync(
        Stream content, UploadDestination destination, TransferOptions options, CancellationToken cancellationToken)
    {
        var start = content.CanSeek ? content.Position : 0;
        var big = !content.CanSeek || content.Length - start > SmallSize;
        return ChooseAsync(
            options.Method,
            preferSftp: big,
            canRepeat: content.CanSeek,
            repeat =>
            {
                if (repeat)
                    content.Position = start;
                return _shellFiles.UploadAsync(content, destination, options, cancellationToken);
            },
            sftp =>
            {
                if (content.CanSeek)
                    content.Position = start;
                return sftp.UploadAsync(content, destination, options, cancellationToken);
            },
            cancellationToken);
    }

    /// <summary>
    /// Does it one way, then, in Auto, the other; of two failures the shell's is told, which says more.
    /// </summary>
    private async Task ChooseAsync(
        TransferMethod method, bool preferSftp, bool canRepeat, Func<bool, Task> byShell, Func<SftpFiles, Task> bySftp,
        CancellationToken cancellationToken)
    {
        if (method == TransferMethod.Sftp)
        {
            var sftp = await SftpAsync(cancellationToken) ?? throw new ProblemException(
                ProblemKind.Unavailable,
                $"the guest has no SFTP: {_sftpReason}",
                "install an SFTP server in the guest, or leave the transfer method to Gantry");
            await bySftp(sftp);
            return;
        }

        var first = method == TransferMethod.Auto && preferSftp ? await SftpAsync(cancellationToken) : null;
        if (first is not null)
        {
            await bySftp(first);
            return;
        }

        try
        {
            await byShell(false);
        }
        catch (ProblemException) when (method == TransferMethod.Auto && canRepeat && shell.IsConnected)
        {
            if (await SftpAsync(cancellationToken) is not { } second || !await TryAsync(bySftp, second))
                throw;
        }
    }

    private static async Task<bool> TryAsync(Func<SftpFiles, Task> bySftp, SftpFiles sftp)
    {
        try
        {
            await bySftp(sftp);
            return true;
        }
        catch (ProblemException)
        {
            return false;
        }
    }

    private async Task<SftpFiles?> SftpAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_sftp is { IsConnected: true } || _sftpMissing)
                return _sftp;
            if (_sftp is not null)
                await _sftp.DisposeAsync();
            (_sftp, _sftpReason) = await SftpFiles.OpenAsync(shell.Target, time, cancellationToken);
            _sftpMissing = _sftp is null;
            return _sftp;
        }
        finally
        {
            _gate.Release();
        }
    }
}

/// <summary>
/// Where an upload goes: a file, or into a folder under <paramref name="Name"/> where the path is one.
/// </summary>
internal sealed record UploadDestination(string Path, string? Name);
