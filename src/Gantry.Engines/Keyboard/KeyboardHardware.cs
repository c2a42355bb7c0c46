using System.Text.Json.Nodes;
using Gantry.Engines.Qemu.Monitor;

namespace Gantry.Engines.Keyboard;

/// <summary>What takes the machine's keys, which decides how they are paced.</summary>
[Flags]
public enum KeyboardHardware
{
    None = 0,

    /// <summary>A PS/2 controller: its status port tells whether the guest has read the last key.</summary>
    I8042 = 1,

    /// <summary>A USB keyboard: a queue of 16 events that the guest polls about every 10 ms.</summary>
    Usb = 2,

    /// <summary>A virtio keyboard: a queue of 64 buffers.</summary>
    Virtio = 4,
}

internal static class KeyboardProbe
{
    private static readonly string[] Containers =
        ["/machine/unattached", "/machine/peripheral", "/machine/peripheral-anon"];

    /// <summary>Looks through the machine's devices.</summary>
    public static async Task<KeyboardHardware> FindAsync(IQemuMonitor monitor, CancellationToken cancellationToken)
    {
        var found = KeyboardHardware.None;
        foreach (var container in Containers)
        {
            var list = await monitor.ExecuteAsync(
                "qom-list", new JsonObject { ["path"] = container }, cancellationToken).ConfigureAwait(false);
            foreach (var child in list.EnumerateArray())
                found |= Of(child.GetProperty("type"u8).GetString() ?? "");
        }
        return found;
    }

    private static KeyboardHardware Of(string type) => type switch
    {
        "child<i8042>" => KeyboardHardware.I8042,
        "child<usb-kbd>" => KeyboardHardware.Usb,
        _ when type.StartsWith("child<virtio-keyboard", StringComparison.Ordinal) => KeyboardHardware.Virtio,
        _ => KeyboardHardware.None,
    };
}
