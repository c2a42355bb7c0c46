using Gantry.Machines.Guest;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Snapshots;

/// <summary>
/// What a snapshot keeps beside its volumes, in a folder of the machine's: the memory, the TPM's state, and the SSH host
/// key that the guest had.
/// </summary>
internal static class SnapshotFiles
{
    public const string MemoryName = "memory";
    private const string TpmName = "tpm";

    /// <summary>A TPM's state is a few files of some kilobytes; more is none.</summary>
    private const long LargestTpmState = 64 << 20;

    public static string Folder(DataFolders folders, MachineNumber machine, string snapshot) =>
        Path.Combine(folders.MachineFolder(machine), "snapshots", snapshot);

    public static string MemoryFile(DataFolders folders, MachineNumber machine, string snapshot) =>
        Path.Combine(Folder(folders, machine, snapshot), MemoryName);

    /// <summary>Makes the folder, with the host key; safe to repeat.</summary>
    public static void Begin(DataFolders folders, MachineNumber machine, string snapshot)
    {
        var folder = Folder(folders, machine, snapshot);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Copy(KnownHostKey.PathOf(folders, machine), Path.Combine(folder, KnownHostKey.FileName));
    }

    /// <summary>Copies the TPM's state as it is now.</summary>
    public static void KeepTpm(DataFolders folders, MachineNumber machine, string snapshot) =>
        CopyFolder(TpmFolder(folders, machine), Path.Combine(Folder(folders, machine, snapshot), TpmName));

    /// <summary>Makes the machine's TPM and known host key what they were; safe to repeat.</summary>
    public static void Restore(DataFolders folders, MachineNumber machine, string snapshot)
    {
        var folder = Folder(folders, machine, snapshot);
        if (Directory.Exists(Path.Combine(folder, TpmName)))
            CopyFolder(Path.Combine(folder, TpmName), TpmFolder(folders, machine));
        KnownHostKey.Forget(folders, machine);
        Copy(Path.Combine(folder, KnownHostKey.FileName), KnownHostKey.PathOf(folders, machine));
    }

    public static void Remove(DataFolders folders, MachineNumber machine, string snapshot)
    {
        var folder = Folder(folders, machine, snapshot);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static string TpmFolder(DataFolders folders, MachineNumber machine) =>
        Path.Combine(folders.MachineFolder(machine), "tpm");

    private static void Copy(string from, string to)
    {
        if (File.Exists(from))
            File.Copy(from, to, overwrite: true);
    }

    /// <summary>The whole folder or nothing: an interrupted copy is not mistaken for a TPM's state.</summary>
    private static void CopyFolder(string from, string to)
    {
        if (!Directory.Exists(from))
            return;
        var partial = to + ".part";
        if (Directory.Exists(partial))
            Directory.Delete(partial, recursive: true);
        Directory.CreateDirectory(partial, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        long bytes = 0;
        foreach (var file in Directory.GetFiles(from))
        {
            // swtpm's own lock file is empty and belongs to its process.
            if (Path.GetFileName(file) is ".lock")
                continue;
            bytes += FileSpace.AllocatedBytes(file);
            if (bytes > LargestTpmState)
                throw new ProblemException(
                    ProblemKind.Failed, $"{from} holds more than a TPM's state can be", "look what else is in it");
            File.Copy(file, Path.Combine(partial, Path.GetFileName(file)));
        }

        if (Directory.Exists(to))
            Directory.Delete(to, recursive: true);
        Directory.Move(partial, to);
    }
}
