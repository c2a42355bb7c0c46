using System.Globalization;
using Gantry.Model;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Storage.Volumes;

/// <summary>Space on the host's file systems, in bytes.</summary>
public static class FileSpace
{
    /// <summary>What a file really takes: sparse parts do not count. 0 when there is no such file.</summary>
    public static long AllocatedBytes(string path)
    {
        if (!File.Exists(path))
            return 0;
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return Native.AllocatedBytes(handle);
    }

    public static long FreeBytes(string folder) => new DriveInfo(folder).AvailableFreeSpace;

    /// <summary>Refuses work that would fill the disk, before it begins.</summary>
    /// <exception cref="ProblemException">Less than <paramref name="needed"/> bytes are free.</exception>
    public static void Require(string folder, long needed, string what)
    {
        var free = FreeBytes(folder);
        if (free >= needed)
            return;
        throw new ProblemException(
            ProblemKind.Unavailable,
            $"{what} needs {Words(needed)}, and {folder} has only {Words(free)} free",
            "free some space (gantry build cache prune helps), or set GANTRY_HOME to a larger file system");
    }

    /// <summary>Bytes for people: <c>1.5 GiB</c>.</summary>
    public static string Words(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        double value = bytes;
        var unit = 0;
        while (Math.Abs(value) >= 1024 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return value.ToString(unit == 0 ? "0" : "0.#", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    private static class Native
    {
        /// <summary>
        /// SEEK_DATA/SEEK_HOLE walk over the file's extents, which needs no knowledge of struct stat's layout.
        /// </summary>
        public static long AllocatedBytes(SafeFileHandle handle)
        {
            var length = RandomAccess.GetLength(handle);
            long total = 0;
            long at = 0;
            while (at < length)
            {
                var data = NativeMethods.Seek(handle, at, NativeMethods.SeekData);
                if (data < 0)
                    break;
                var hole = NativeMethods.Seek(handle, data, NativeMethods.SeekHole);
                if (hole < 0)
                    hole = length;
                total += hole - data;
                at = hole;
            }

            return total;
        }
    }
}
