using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gantry.App.Hosting;

/// <summary>
/// The keyboard's terminal handed to somebody else: each key goes out as it is pressed, Ctrl-C too. Disposing it, or
/// <see cref="RestoreAll"/> when the process must end at once, gives the terminal back as it was.
/// </summary>
internal sealed partial class RawTerminal : IDisposable
{
    private const int Input = 0;

    /// <summary>Apply once what was written is out (tcsetattr(3), the same on x86_64 and arm64).</summary>
    private const int AfterDrain = 1;

    /// <summary>More than any C library's struct termios; what is in it is that library's own affair.</summary>
    private const int SettingsSize = 256;

    private static byte[]? _before;

    private RawTerminal()
    {
    }

    /// <summary>Null when standard input is no terminal.</summary>
    public static RawTerminal? TryOpen()
    {
        var settings = new byte[SettingsSize];
        if (tcgetattr(Input, settings) != 0)
            return null;
        Interlocked.CompareExchange(ref _before, (byte[])settings.Clone(), null);
        cfmakeraw(settings);
        _ = tcsetattr(Input, AfterDrain, settings);
        return new RawTerminal();
    }

    public void Dispose() => RestoreAll();

    public static void RestoreAll()
    {
        if (Interlocked.Exchange(ref _before, null) is { } before)
            _ = tcsetattr(Input, AfterDrain, before);
    }

    /// <summary>Columns and rows of the terminal on standard output; a usual size where there is none.</summary>
    public static (int Columns, int Rows) Size()
    {
        const ulong GetWindowSize = 0x5413; // TIOCGWINSZ in asm-generic/ioctls.h
        var size = new ushort[4];
        return ioctl(1, GetWindowSize, size) == 0 && size[0] > 0 && size[1] > 0 ? (size[1], size[0]) : (80, 24);
    }

    /// <summary>Standard input byte by byte. <see cref="Console"/>'s own stream edits lines when it is a terminal.</summary>
    public static Stream OpenInput() => new FileStream(new SafeFileHandle(Input, ownsHandle: false), FileAccess.Read, 0);

    /// <summary>Standard output without a buffer; flush the text writer first.</summary>
    public static Stream OpenOutput() => Console.OpenStandardOutput();

    public static Stream OpenError() => Console.OpenStandardError();

    [LibraryImport("libc")]
    private static partial int tcgetattr(int descriptor, [Out] byte[] settings);

    [LibraryImport("libc")]
    private static partial int tcsetattr(int descriptor, int when, [In] byte[] settings);

    [LibraryImport("libc")]
    private static partial void cfmakeraw([In, Out] byte[] settings);

    [LibraryImport("libc")]
    private static partial int ioctl(int descriptor, ulong request, [In, Out] ushort[] size);
}
