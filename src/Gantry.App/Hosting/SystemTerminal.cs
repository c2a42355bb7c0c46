using System.Runtime.InteropServices;
using System.Text;

namespace Gantry.App.Hosting;

/// <summary>
/// The process's own streams. <see cref="Console"/>'s writers are not used: with a terminal they read the terminal
/// database and install handlers, which is a fifth of the time that <c>gantry --help</c> may take.
/// </summary>
internal sealed partial class SystemTerminal : ITerminal, IDisposable
{
    private readonly Lazy<TextReader> _in = new(
        () => new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false)));

    private readonly QuietStream _out = new(Console.OpenStandardOutput());

    public SystemTerminal()
    {
        Out = Writer(_out, autoFlush: false);
        Error = Writer(new QuietStream(Console.OpenStandardError()), autoFlush: true);
    }

    public TextReader In => _in.Value;

    public TextWriter Out { get; }

    public IOException? OutFailure => _out.Failure;

    public TextWriter Error { get; }

    public bool InIsTerminal { get; } = IsTerminal(0);

    public bool OutIsTerminal { get; } = IsTerminal(1);

    public bool ErrorIsTerminal { get; } = IsTerminal(2);

    public int? Width => WidthOf(1) ?? WidthOf(2);

    public void Dispose()
    {
        Out.Dispose();
        Error.Dispose();
        if (_in.IsValueCreated)
            _in.Value.Dispose();
    }

    private static StreamWriter Writer(Stream stream, bool autoFlush) =>
        new(stream, new UTF8Encoding(false), bufferSize: 4096) { AutoFlush = autoFlush, NewLine = "\n" };

    private static bool IsTerminal(int descriptor) => isatty(descriptor) == 1;

    private static int? WidthOf(int descriptor)
    {
        // asm-generic/ioctls.h, the same on x86_64 and arm64.
        const ulong TIOCGWINSZ = 0x5413;
        WindowSize size = default;
        return ioctl(descriptor, TIOCGWINSZ, ref size) == 0 && size.Columns > 0 ? size.Columns : null;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort Width;
        public ushort Height;
    }

    [LibraryImport("libc")]
    private static partial int isatty(int descriptor);

    [LibraryImport("libc")]
    private static partial int ioctl(int descriptor, ulong request, ref WindowSize size);
}
