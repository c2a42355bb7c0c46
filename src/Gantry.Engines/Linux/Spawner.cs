using System.Runtime.InteropServices;
using System.Text;

namespace Gantry.Engines.Linux;

/// <summary>What to start, and with which descriptors.</summary>
internal sealed record SpawnRequest
{
    /// <summary>Absolute.</summary>
    public required string Program { get; init; }

    /// <summary>Without the program's own name.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Standard output and error are appended here.</summary>
    public required string LogPath { get; init; }

    /// <summary>Inherited as descriptor 3; null for none.</summary>
    public SafeHandle? Inherited { get; init; }

    /// <summary>Environment variables of this program that the new one gets besides the usual ones.</summary>
    public IReadOnlyList<string> Variables { get; init; } = [];
}

/// <summary>
/// Starts programs that outlive this one: in a session of their own, without a shell, standard input from /dev/null,
/// no descriptor but the ones asked for, signals as a fresh process has them.
/// </summary>
internal static unsafe class Spawner
{
    private const short SetSignalMask = 0x08;
    private const short SetSignalDefaults = 0x04;
    private const short SetSession = 0x80;

    /// <summary>glibc's largest of the opaque structures has 336 bytes.</summary>
    private const int OpaqueBytes = 1024;

    /// <returns>The child, already watched by <see cref="Children"/>.</returns>
    /// <exception cref="IOException">The program can't be started.</exception>
    public static ChildProcess Start(SpawnRequest request)
    {
        var actions = stackalloc byte[OpaqueBytes];
        var attributes = stackalloc byte[OpaqueBytes];
        Check(Libc.FileActionsInit(actions), request);
        Check(Libc.SpawnAttributesInit(attributes), request);
        var held = false;
        try
        {
            request.Inherited?.DangerousAddRef(ref held);
            AddActions(actions, request);
            SetAttributes(attributes, request);
            using var arguments = new NativeStrings([request.Program, .. request.Arguments]);
            using var environment = new NativeStrings(Environment(request.Variables));
            return Children.Start(() =>
            {
                int pid;
                Check(
                    Libc.PosixSpawn(&pid, request.Program, actions, attributes, arguments.Start, environment.Start),
                    request);
                return pid;
            });
        }
        finally
        {
            if (held)
                request.Inherited!.DangerousRelease();
            _ = Libc.FileActionsDestroy(actions);
            _ = Libc.SpawnAttributesDestroy(attributes);
        }
    }

    private static void AddActions(byte* actions, SpawnRequest request)
    {
        const int mode = 0x180; // 0600
        // First, so that an inherited descriptor which happens to be 0, 1 or 2 is copied before those are replaced.
        if (request.Inherited is { } inherited)
        {
            // Where both numbers are 3, dup2 still clears the close-on-exec flag (glibc does so for this very use).
            Check(Libc.FileActionsAddDup2(actions, (int)inherited.DangerousGetHandle(), 3), request);
        }
        Check(Libc.FileActionsAddOpen(actions, 0, "/dev/null", 0, 0), request);
        Check(
            Libc.FileActionsAddOpen(
                actions, 1, request.LogPath, Libc.WriteOnly | Libc.Create | Libc.Append, mode), request);
        Check(Libc.FileActionsAddDup2(actions, 1, 2), request);
        var firstClosed = request.Inherited is null ? 3 : 4;
        Check(Libc.FileActionsAddCloseFrom(actions, firstClosed), request);
    }

    private static void SetAttributes(byte* attributes, SpawnRequest request)
    {
        var signals = stackalloc byte[128]; // sigset_t
        Check(Libc.SpawnAttributesSetFlags(attributes, SetSession | SetSignalDefaults | SetSignalMask), request);
        _ = Libc.SignalSetFill(signals);
        Check(Libc.SpawnAttributesSetSignalDefaults(attributes, signals), request);
        _ = Libc.SignalSetEmpty(signals);
        Check(Libc.SpawnAttributesSetSignalMask(attributes, signals), request);
    }

    /// <summary>
    /// Only what a program with or without a window needs: this program's own environment may hold a build's secrets.
    /// </summary>
    private static List<string> Environment(IReadOnlyList<string> more)
    {
        string[] names =
        [
            "DISPLAY", "HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER", "WAYLAND_DISPLAY",
            "XAUTHORITY", "XDG_RUNTIME_DIR",
        ];
        return
        [
            .. names.Concat(more).Select(name => (Name: name, Value: System.Environment.GetEnvironmentVariable(name)))
                .Where(pair => pair.Value is not null)
                .Select(pair => $"{pair.Name}={pair.Value}"),
        ];
    }

    private static void Check(int error, SpawnRequest request)
    {
        if (error != 0)
            throw new IOException($"can't start {request.Program}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>A null-terminated array of C strings.</summary>
    private sealed class NativeStrings : IDisposable
    {
        private readonly int _count;

        public NativeStrings(IReadOnlyList<string> strings)
        {
            _count = strings.Count;
            Start = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
            for (var i = 0; i < _count; i++)
            {
                var size = Encoding.UTF8.GetByteCount(strings[i]);
                Start[i] = (byte*)NativeMemory.AllocZeroed((nuint)size + 1);
                Encoding.UTF8.GetBytes(strings[i], new Span<byte>(Start[i], size));
            }
        }

        public byte** Start { get; }

        public void Dispose()
        {
            for (var i = 0; i < _count; i++)
                NativeMemory.Free(Start[i]);
            NativeMemory.Free(Start);
        }
    }
}
