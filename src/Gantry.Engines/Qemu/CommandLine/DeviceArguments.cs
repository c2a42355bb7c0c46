using System.Globalization;
using System.Text;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu.CommandLine;

/// <summary>Consoles, screen, keyboard, entropy, TPM, guest agent, shared folders, monitors.</summary>
internal static class DeviceArguments
{
    public static void Add(ArgumentList arguments, QemuLaunch launch)
    {
        var profile = IsaProfiles.For(launch.Spec.Isa);
        AddConsoles(arguments, launch);
        AddScreen(arguments, launch, profile);
        arguments.Add("-object", "rng-builtin,id=rng0");
        arguments.Device("virtio-rng-pci,id=rngdev0,rng=rng0");
        arguments.Device("virtio-balloon-pci,id=balloon0,deflate-on-oom=on,free-page-reporting=on");
        if (profile.HasGenerationId)
        {
            var guid = launch.GenerationId is { } id ? id.ToString("D") : "auto";
            arguments.Device($"vmgenid,id=vmgenid0,guid={guid}");
        }
        AddAgent(arguments, launch);
        AddTpm(arguments, launch, profile);
        AddShares(arguments, launch);
    }

    private static void AddConsoles(ArgumentList arguments, QemuLaunch launch)
    {
        AddMonitor(arguments, "qmp0", launch.Run.Qmp);
        AddMonitor(arguments, "qmp1", launch.Run.SpareQmp);
        AddMonitor(arguments, "qmp2", launch.Run.Events);
        arguments.Add(
            "-chardev",
            $"socket,id=serial0,path={ArgumentList.Escape(launch.Run.Serial)},server=on,wait=off,"
                + $"logfile={ArgumentList.Escape(launch.Run.SerialLog)},logappend=on");
        arguments.Add("-serial", "chardev:serial0", "-serial");
    }

    private static void AddMonitor(ArgumentList arguments, string name, string path)
    {
        arguments.Add("-chardev", $"socket,id={name},path={ArgumentList.Escape(path)},server=on,wait=off");
        arguments.Add("-mon", $"chardev={name},mode=control");
    }

    private static void AddScreen(ArgumentList arguments, QemuLaunch launch, IsaProfile profile)
    {
        var adapter = launch.Spec.GraphicsAdapter ?? profile.GraphicsAdapter;
        if (adapter != "none")
        {
            arguments.Device($"{adapter},id=video0", "-vga");
            if (!profile.HasI8042)
            {
                arguments.Device("qemu-xhci,id=usb0");
                arguments.Device("usb-kbd,id=keyboard0,bus=usb0.0");
                arguments.Device("usb-tablet,id=tablet0,bus=usb0.0");
            }
        }
        arguments.Add("-display", "none", "-display");
        arguments.Add("-vnc", $"unix:{ArgumentList.Escape(launch.Run.Vnc)}");
        if (launch.Vnc is { } vnc)
        {
            var display = (vnc.Port - 5900).ToString(CultureInfo.InvariantCulture);
            arguments.Add("-vnc", $"{vnc.Address}:{display}{(vnc.Password ? ",password=on" : "")}", "-vnc");
        }
    }

    private static void AddAgent(ArgumentList arguments, QemuLaunch launch)
    {
        arguments.Device("virtio-serial-pci,id=vserial0");
        arguments.Add(
            "-chardev", $"socket,id=agent0,path={ArgumentList.Escape(launch.Run.GuestAgent)},server=on,wait=off");
        arguments.Device("virtserialport,id=agentport0,bus=vserial0.0,chardev=agent0,name=org.qemu.guest_agent.0");
    }

    private static void AddTpm(ArgumentList arguments, QemuLaunch launch, IsaProfile profile)
    {
        if (launch.Spec.Tpm is not { } tpm)
            return;
        var device = tpm.Device ?? profile.TpmDevice ?? throw new ProblemException(
            ProblemKind.InvalidInput, $"machines of {profile.Isa.Name()} have no TPM", "remove the TPM");
        arguments.Add("-chardev", $"socket,id=tpmchar0,path={ArgumentList.Escape(launch.Run.Tpm)}");
        arguments.Add("-tpmdev", "emulator,id=tpm0,chardev=tpmchar0", "-tpmdev");
        arguments.Device($"{device},id=tpmdev0,tpmdev=tpm0", "-tpmdev");
    }

    private static void AddShares(ArgumentList arguments, QemuLaunch launch)
    {
        for (var i = 0; i < launch.Spec.SharedFolders.Count; i++)
        {
            var share = launch.Spec.SharedFolders[i];
            if (Encoding.UTF8.GetByteCount(share.Tag) is 0 or > 31)
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput, $"'{share.Tag}' can't be a shared folder's tag", "use 1 to 31 bytes");
            }
            // Mapped: a guest's root makes no set-uid files or devices on the host; what it says about owners and
            // modes is kept in extended attributes.
            arguments.Add(
                "-fsdev",
                $"local,id=share{i},path={ArgumentList.Escape(share.HostPath)},security_model=mapped-xattr,"
                    + $"fmode=0644,dmode=0755,multidevs=remap{(share.ReadOnly ? ",readonly=on" : "")}");
            arguments.Device(
                $"virtio-9p-pci,id=sharedev{i},fsdev=share{i},mount_tag={ArgumentList.Escape(share.Tag)}");
        }
    }
}
