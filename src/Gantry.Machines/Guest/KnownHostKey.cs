using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage;

namespace Gantry.Machines.Guest;

/// <summary>
/// The host key that a machine's SSH server showed at first contact, in a file of the machine's folder. Later ones are
/// held against it: what answers on the machine's port with another key is not that machine.
/// </summary>
public static class KnownHostKey
{
    public const string FileName = "ssh_host_key.pub";

    private const int LongestFile = 16 * 1024;

    public static string PathOf(DataFolders folders, MachineNumber machine) =>
        Path.Combine(folders.MachineFolder(machine), FileName);

    /// <summary>The key, or null before the first contact.</summary>
    /// <exception cref="ProblemException">The file holds no key; the remedy says how to forget it.</exception>
    public static SshHostKey? Read(DataFolders folders, MachineRecord machine)
    {
        var path = PathOf(folders, machine.Number);
        var file = new FileInfo(path);
        if (!file.Exists)
            return null;
        if (file.Length <= LongestFile && SshHostKey.TryParse(File.ReadAllText(path), out var key))
            return key;
        throw new ProblemException(
            ProblemKind.Failed,
            $"{path} holds no SSH host key",
            $"forget it, and the next key is remembered: gantry ssh --new-host-key {machine.Spec.Name}");
    }

    /// <summary>Remembers the key of a first contact; one that is remembered already stays.</summary>
    public static void Remember(DataFolders folders, MachineNumber machine, SshHostKey key)
    {
        if (key.Base64 is null)
            return;
        var path = PathOf(folders, machine);
        var partial = $"{path}.{Environment.ProcessId}";
        File.WriteAllText(partial, $"{key.Type} {key.Base64}\n");
        try
        {
            File.Move(partial, path, overwrite: false);
        }
        catch (IOException)
        {
            // Another command was here first, with the same guest.
            File.Delete(partial);
        }
    }

    public static void Forget(DataFolders folders, MachineNumber machine) => File.Delete(PathOf(folders, machine));
}
