using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage;

namespace Gantry.Machines.Run;

/// <summary>
/// One operation at a time changes a machine, whichever process does it. The lock is the kernel's (flock), so it ends
/// with its holder, however that ends.
/// </summary>
public sealed class MachineLock : IDisposable
{
    private const string FileName = "operation.lock";
    private const int MaxAttempts = 100;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly FileStream _file;

    private MachineLock(FileStream file) => _file = file;

    /// <summary>Takes the lock, waiting for another operation to finish.</summary>
    /// <exception cref="ProblemException">The other one took longer than <paramref name="patience"/>.</exception>
    public static async Task<MachineLock> TakeAsync(
        DataFolders folders, MachineNumber machine, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            if (TryTake(folders, machine) is { } taken)
                return taken;
            if (time.GetElapsedTime(start) >= patience)
            {
                throw new ProblemException(
                    ProblemKind.Conflict,
                    $"machine {machine} is busy with another operation",
                    "wait for it to finish and try again");
            }

            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The lock, or null when somebody holds it.</summary>
    public static MachineLock? TryTake(DataFolders folders, MachineNumber machine)
    {
        var folder = folders.MachineFolder(machine);
        var path = Path.Combine(folder, FileName);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            FileStream file;
            try
            {
                Directory.CreateDirectory(folder);
                file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException) when (!Directory.Exists(folder))
            {
                // Another process took the folder of a machine that has no record away, as it is right to do.
                continue;
            }
            catch (IOException)
            {
                return null;
            }

            if (OpenFile.HasName(file.SafeFileHandle))
                return new MachineLock(file);
            file.Dispose();
        }

        return null;
    }

    public void Dispose() => _file.Dispose();
}
