using Gantry.Model;
using Gantry.Storage;

namespace Gantry.Machines.Guest;

/// <summary>This node's own SSH key: what Gantry logs in to its guests with.</summary>
public static class NodeKey
{
    private const int MaxLength = 64 * 1024;

    /// <summary>The private key's file; its public line is beside it, with <c>.pub</c> after the name.</summary>
    public static string PathIn(DataFolders folders) => Path.Combine(folders.Home, "keys", "id_ed25519");

    /// <summary>Reads the key; makes it the first time. Two processes at once get the same one.</summary>
    /// <exception cref="ProblemException">The files can't be read or written.</exception>
    public static async Task<SshKeyPair> GetAsync(DataFolders folders, CancellationToken cancellationToken)
    {
        var path = PathIn(folders);
        try
        {
            if (!File.Exists(path))
                await MakeAsync(path, cancellationToken).ConfigureAwait(false);
            return new SshKeyPair
            {
                PrivateKey = await ReadAsync(path, cancellationToken).ConfigureAwait(false),
                PublicKey = (await ReadAsync(path + ".pub", cancellationToken).ConfigureAwait(false)).Trim(),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"the node's SSH key {path} can't be used: {e.Message}",
                $"give this user access to it; or remove {path} and {path}.pub, and a new key is made "
                    + "(machines that know only the old one then refuse it)",
                inner: e);
        }
    }

    private static async Task MakeAsync(string path, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // One maker at a time, and the private key comes last: who sees it finds the whole pair.
        await using var held = await LockAsync(Path.Combine(folder, ".lock"), cancellationToken).ConfigureAwait(false);
        if (File.Exists(path))
            return;
        var pair = SshKeyPair.Generate("gantry");
        await File.WriteAllTextAsync(path + ".pub", pair.PublicKey + "\n", cancellationToken).ConfigureAwait(false);
        var partial = path + ".new";
        File.Delete(partial);
        await pair.WritePrivateKeyAsync(partial, cancellationToken).ConfigureAwait(false);
        File.Move(partial, path);
    }

    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        const int Tries = 100;
        for (var i = 0; ; i++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (i < Tries)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken)
                    .ConfigureAwait(false);
            }
        }
    }

    private static async Task<string> ReadAsync(string path, CancellationToken cancellationToken) =>
        new FileInfo(path).Length <= MaxLength
            ? await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false)
            : throw new IOException($"the file {path} is too long for a key");
}
