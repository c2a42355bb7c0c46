using System.Net;
using System.Net.Sockets;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Run;

/// <summary>Chooses free ports of the host, and says clearly which are not.</summary>
public static class HostPorts
{
    /// <summary>
    /// The ports with a number for each that had none.
    /// </summary>
    /// <exception cref="ProblemException">One that was asked for is taken.</exception>
    public static ValueList<PublishedPort> Resolve(IEnumerable<PublishedPort> ports)
    {
        var resolved = new List<PublishedPort>();
        var held = new List<Socket>();
        try
        {
            foreach (var port in ports)
            {
                var socket = Bind(port);
                held.Add(socket);
                resolved.Add(port with { HostPort = ((IPEndPoint)socket.LocalEndPoint!).Port });
            }
        }
        finally
        {
            // All at once, so that two free ones can't be the same.
            held.ForEach(socket => socket.Dispose());
        }

        return [.. resolved];
    }

    /// <summary>A port from the range that nothing listens on.</summary>
    /// <exception cref="ProblemException">There is none.</exception>
    public static int Choose(string address, int first, int last, IReadOnlySet<int> not)
    {
        for (var port = first; port <= last; port++)
        {
            if (!not.Contains(port) && IsFree(address, port))
                return port;
        }

        throw new ProblemException(
            ProblemKind.Unavailable, $"no port from {first} to {last} is free", "end what uses them, or give a wider range");
    }

    /// <summary>Whether a machine could publish a TCP port on it now.</summary>
    public static bool IsFree(string address, int port)
    {
        try
        {
            using var socket = Bind(new PublishedPort { Address = address, HostPort = port, GuestPort = 1 });
            return true;
        }
        catch (ProblemException)
        {
            return false;
        }
    }

    private static Socket Bind(PublishedPort port)
    {
        if (!IPAddress.TryParse(port.Address, out var address))
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"'{port.Address}' is no IP address to publish a port on", "give one such as 127.0.0.1 or 0.0.0.0");
        }

        var socket = new Socket(
            address.AddressFamily, port.Udp ? SocketType.Dgram : SocketType.Stream, port.Udp
                ? ProtocolType.Udp : ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(address, port.HostPort));
            if (!port.Udp)
                socket.Listen(1); // with address reuse, binding alone would succeed beside a listener
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw Refused(port, e);
        }
    }

    private static ProblemException Refused(PublishedPort port, SocketException error) => error.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => new ProblemException(
            ProblemKind.Conflict,
            $"port {port.HostPort} on {port.Address} is in use by another program",
            $"choose another one, for example --publish {port.HostPort + 1}:{port.GuestPort}, or 0 for any free one", inner: error),
        SocketError.AccessDenied => new ProblemException(
            ProblemKind.Unavailable,
            $"port {port.HostPort} needs root",
            $"choose one above 1023, for example --publish {8000 + (port.HostPort % 1000)}:{port.GuestPort}", inner: error),
        SocketError.AddressNotAvailable => new ProblemException(
            ProblemKind.InvalidInput, $"{port.Address} is not an address of this host", "use 127.0.0.1, or 0.0.0.0 for all", inner: error),
        _ => new ProblemException(
            ProblemKind.Unavailable, $"port {port.HostPort} on {port.Address} can't be used: {error.Message}", inner: error),
    };
}
