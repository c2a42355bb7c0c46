using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Storage;

/// <summary>The few calls of the C library that .NET does not offer.</summary>
internal static partial class NativeMethods
{
    public const int SeekData = 3;
    public const int SeekHole = 4;

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int whence);
}
