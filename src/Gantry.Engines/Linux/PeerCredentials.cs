using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Gantry.Engines.Linux;

/// <summary>Who listens at the other end of a connected Unix socket, as the kernel knows it (SO_PEERCRED).</summary>
internal readonly record struct PeerCredentials(int Pid, int UserId)
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    public static PeerCredentials Of(Socket socket)
    {
        Span<int> credentials = stackalloc int[3];
        socket.GetRawSocketOption(SolSocket, SoPeerCred, MemoryMarshal.AsBytes(credentials));
        return new PeerCredentials(credentials[0], credentials[1]);
    }
}
