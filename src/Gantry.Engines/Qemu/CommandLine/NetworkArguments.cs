using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu.CommandLine;

/// <summary>Network cards, each with its way to the host.</summary>
internal static class NetworkArguments
{
    /// <summary>Cards whose boot ROM can be left out, which makes firmware start sooner.</summary>
    private static readonly HashSet<string> CardsWithRom = new(StringComparer.Ordinal)
    {
        "virtio-net-pci", "virtio-net", "e1000", "e1000e", "rtl8139", "vmxnet3", "ne2k_pci", "pcnet",
    };

    public static void Add(ArgumentList arguments, QemuLaunch launch, BootOrder order)
    {
        for (var i = 0; i < launch.Spec.NetworkCards.Count; i++)
            AddCard(arguments, launch, i, order);
    }

    /// <summary>
    /// The name of a card's network back end. Packer's <c>user.0</c> where the user's own switches speak of it.
    /// </summary>
    public static string BackEnd(GivenSwitches given, int card) =>
        card == 0 && (given.Mentions("-device", "netdev=user.0") || given.HasPart("-netdev", "id=user.0"))
            ? "user.0" : $"net{card}";

    /// <summary>What QEMU forwards, in the form of its <c>hostfwd</c>.</summary>
    /// <exception cref="ProblemException">Not an IPv4 address, or no port.</exception>
    public static string Forward(LaunchPort port)
    {
        if (port.Address.Length > 0
            && (!IPAddress.TryParse(port.Address, out var address)
                || address.AddressFamily != AddressFamily.InterNetwork))
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"a port can't be published on '{port.Address}'",
                "give an IPv4 address of this host, such as 127.0.0.1 or 0.0.0.0");
        }
        CheckPort(port.HostPort);
        CheckPort(port.GuestPort);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(port.Udp ? "udp" : "tcp")}:{port.Address}:{port.HostPort}-:{port.GuestPort}");
    }

    private static void CheckPort(int port)
    {
        if (port is < 1 or > 65535)
            throw new ProblemException(ProblemKind.InvalidInput, $"{port} is no port", "use 1 to 65535");
    }

    private static void AddCard(ArgumentList arguments, QemuLaunch launch, int index, BootOrder order)
    {
        var card = launch.Spec.NetworkCards[index];
        var given = arguments.Given;
        var backEnd = BackEnd(given, index);
        arguments.Add("-netdev", BackEndValue(launch, card, index, backEnd), "-netdev");
        var hasBackEnd = !given.Has("-netdev") || given.HasPart("-netdev", $"id={backEnd}");
        var name = card.Device ?? IsaProfiles.For(launch.Spec.Isa).NetworkDevice;
        // As Packer does: the card stays unless the user's devices bring one for the same network.
        var isGiven = given.HasPart("-device", $"netdev={backEnd}");
        if (!hasBackEnd || isGiven)
            return;
        var device = new StringBuilder(name)
            .Append(CultureInfo.InvariantCulture, $",id=net{index},netdev={backEnd},mac={card.Mac}");
        if (CardsWithRom.Contains(name) && launch.Spec.Boot != BootDevice.Network)
            device.Append(",romfile=");
        device.Append(order.ForNetworkCard(index));
        arguments.Device(device.ToString());
    }

    private static string BackEndValue(QemuLaunch launch, NetworkCardSpec card, int index, string name)
    {
        if (card.Bridge is { } bridge)
            return $"bridge,id={name},br={ArgumentList.Escape(bridge)}";
        var value = new StringBuilder("user,id=").Append(name)
            .Append(",hostname=").Append(ArgumentList.Escape(launch.Spec.Name));
        if (card.Restricted)
            value.Append(",restrict=on");
        foreach (var port in launch.Ports)
        {
            if (port.Card == index)
                value.Append(",hostfwd=").Append(Forward(port));
        }
        return value.ToString();
    }
}
