using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Gantry.Engines.Qemu.Monitor;

/// <summary>Sends bytes together with one file descriptor (SCM_RIGHTS); the base library cannot.</summary>
internal static unsafe partial class DescriptorSender
{
    private const int SolSocket = 1;
    private const int ScmRights = 1;
    private const int MsgNoSignal = 0x4000;
    private const int MsgDontWait = 0x40;
    private const int Eintr = 4;
    private const int Eagain = 11;

    /// <summary>
    /// Tries once, without blocking. Linux with 64-bit pointers only (the layouts below).
    /// </summary>
    /// <returns>How many bytes went out; the descriptor went with the first. 0: the socket is full, try later.</returns>
    /// <exception cref="SocketException">The kernel refused.</exception>
    public static int TrySend(Socket socket, ReadOnlySpan<byte> bytes, int descriptor)
    {
        var added = false;
        try
        {
            socket.SafeHandle.DangerousAddRef(ref added);
            fixed (byte* start = bytes)
            {
                var vector = new IoVector { Base = start, Length = (nuint)bytes.Length };
                var control = new Rights
                {
                    Length = (nuint)(sizeof(nuint) + (3 * sizeof(int))),
                    Level = SolSocket,
                    Type = ScmRights,
                    Descriptor = descriptor,
                };
                var message = new MessageHeader
                {
                    Vectors = &vector,
                    VectorCount = 1,
                    Control = &control,
                    ControlLength = (nuint)sizeof(Rights),
                };
                while (true)
                {
                    var sent = SendMessage(
                        (int)socket.SafeHandle.DangerousGetHandle(), &message, MsgNoSignal | MsgDontWait);
                    if (sent >= 0)
                        return (int)sent;
                    var error = Marshal.GetLastPInvokeError();
                    if (error == Eagain)
                        return 0;
                    if (error != Eintr)
                        throw new SocketException(error, $"sendmsg: {Marshal.GetPInvokeErrorMessage(error)}");
                }
            }
        }
        finally
        {
            if (added)
                socket.SafeHandle.DangerousRelease();
        }
    }

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(int socket, MessageHeader* message, int flags);

    /// <summary>struct iovec</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary>struct msghdr</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>struct cmsghdr and one descriptor, padded to the alignment of size_t as CMSG_SPACE does.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    private struct Rights
    {
        public nuint Length;
        public int Level;
        public int Type;
        public int Descriptor;
        public int Padding;
    }
}
