using Microsoft.Win32.SafeHandles;

namespace Gantry.Storage;

/// <summary>What can be told of a file that this process has open.</summary>
public static class OpenFile
{
    /// <summary>
    /// Whether it still has a name. Between opening a file and locking it, its last holder may have taken it away; a
    /// lock on a file without a name holds nobody off.
    /// </summary>
    public static bool HasName(SafeFileHandle file) =>
        File.ResolveLinkTarget($"/proc/self/fd/{file.DangerousGetHandle()}", returnFinalTarget: false)
            is { } target && !target.FullName.EndsWith(" (deleted)", StringComparison.Ordinal);
}
