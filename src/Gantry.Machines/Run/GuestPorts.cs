using System.Globalization;
using System.Net;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Run;

/// <summary>Where the host answers for a guest's ports.</summary>
public static class GuestPorts
{
    /// <summary>The host's address and port for a guest's TCP port.</summary>
    /// <exception cref="ProblemException">The machine does not run, or does not publish the port.</exception>
    public static (string Address, int Port) Find(MachineHost host, MachineRecord machine, int guestPort)
    {
        var name = machine.Spec.Name;
        var runtime = host.Runtime(machine.Number)
            ?? throw new ProblemException(
                ProblemKind.Conflict, $"{name} is not running", $"start it: gantry start {name}");
        var port = runtime.Ports.FirstOrDefault(port => port.GuestPort == guestPort && !port.Udp)
            ?? throw new ProblemException(
                ProblemKind.Conflict,
                string.Create(CultureInfo.InvariantCulture, $"{name} does not publish its port {guestPort}"),
                runtime.Ports.Count == 0
                    ? "no port of it is published"
                    : "published ports: " + string.Join(", ", runtime.Ports.Select(one => one.GuestPort)));
        return (Reachable(port.Address), port.HostPort);
    }

    /// <summary>All addresses are listened on, but one connects to one.</summary>
    private static string Reachable(string address) =>
        IPAddress.TryParse(address, out var ip) && ip.Equals(IPAddress.Any) ? "127.0.0.1"
        : address.Length == 0 ? "127.0.0.1"
        : ip is not null && ip.Equals(IPAddress.IPv6Any) ? "::1"
        : address;
}
