namespace Gantry.Engines.Qemu;

/// <summary>
/// Keeps what a guest can make grow within bounds: its serial console's log and QEMU's own. QEMU appends to both, so
/// a file that was cut goes on from its new end.
/// </summary>
internal static class GuestLogs
{
    /// <summary>Beyond it the log is cut, its end kept in a file of the same name with <c>.1</c>.</summary>
    internal const long MaxBytes = 16 << 20;

    /// <summary>Looks at two file sizes; called whenever a machine is started or found.</summary>
    public static void Bound(RunPaths run)
    {
        Bound(run.SerialLog, MaxBytes);
        Bound(run.Log, MaxBytes);
    }

    internal static void Bound(string path, long maxBytes)
    {
        try
        {
            if (!File.Exists(path) || new FileInfo(path).Length <= maxBytes)
                return;
            using var log = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            log.Seek(-maxBytes, SeekOrigin.End);
            using (var older = new FileStream(path + ".1", FileMode.Create, FileAccess.Write))
                log.CopyTo(older);
            log.SetLength(0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Cut by another command in this moment, or not ours: the next one tries again.
        }
    }
}
