using System.Globalization;
using System.Text;
using Gantry.Engines.Qemu.CommandLine;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu;

/// <summary>Builds QEMU's arguments. A pure function: it reads no file, no clock, no environment.</summary>
public static class QemuCommandLine
{
    /// <summary>
    /// The arguments without the program's name, in an order that never changes. Stable names: disks are
    /// <c>disk0</c>..., CDs <c>cd0</c>..., network cards <c>net0</c>..., UEFI variables the node <c>efivars</c>.
    /// </summary>
    /// <exception cref="ProblemException">The spec asks for something that its machine can't have.</exception>
    public static IReadOnlyList<string> Build(QemuLaunch launch)
    {
        if (launch.Spec.MachineType is null)
            throw new ArgumentException("the spec's defaults are not resolved", nameof(launch));
        var arguments = new ArgumentList(new GivenSwitches(launch.Spec.QemuSwitches));
        var order = new BootOrder(launch, arguments.Given);
        AddProcess(arguments, launch);
        AddMachine(arguments, launch);
        AddBoot(arguments, launch, order);
        new DiskArguments(arguments, launch, order).Add();
        NetworkArguments.Add(arguments, launch, order);
        DeviceArguments.Add(arguments, launch);
        if (launch.Incoming)
            arguments.Add("-incoming", "defer");
        if (launch.Paused)
            arguments.Add("-S");
        return arguments.ToStrings();
    }

    private static void AddProcess(ArgumentList arguments, QemuLaunch launch)
    {
        arguments.Add("-no-user-config");
        arguments.Add("-nodefaults");
        arguments.Add(
            "-name", $"guest={ArgumentList.Escape(launch.Spec.Name)},process=gantry-{launch.Number}", "-name");
        arguments.Add("-uuid", launch.Uuid.ToString("D"));
        // A bridge's tap is made by QEMU's set-uid helper, which it must then be allowed to run.
        var isHelperNeeded = launch.Spec.NetworkCards.Any(card => card.Bridge is not null)
            || arguments.Given.Mentions("-netdev", "bridge,");
        arguments.Add(
            "-sandbox",
            isHelperNeeded ? "on,obsolete=deny,resourcecontrol=deny"
                : "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "-sandbox");
        arguments.Add("-msg", "timestamp=on", "-msg");
    }

    private static void AddMachine(ArgumentList arguments, QemuLaunch launch)
    {
        var spec = launch.Spec;
        var profile = IsaProfiles.For(spec.Isa);
        var family = IsaProfile.FamilyOf(spec.MachineType!);
        var flash = FlashOptions(arguments.Given, launch);
        if (arguments.Given.Has("-machine"))
            arguments.Given.Append("-machine", flash);
        else
            arguments.Add("-machine", MachineValue(arguments.Given, launch, family) + flash);
        if (launch.Firmware?.RequiresSmm == true && flash.Length > 0)
        {
            arguments.Add("-global", "driver=cfi.pflash01,property=secure,value=on");
            arguments.Add("-global", "ICH9-LPC.disable_s3=1");
        }
        var isKvm = launch.Accelerator == Accelerator.Kvm;
        arguments.Add("-cpu", spec.CpuModel ?? (isKvm ? profile.KvmCpu : profile.TcgCpu), "-cpu");
        arguments.Add("-smp", Topology(spec.Cpu), "-smp");
        arguments.Add("-m", spec.MemoryMiB.ToString(CultureInfo.InvariantCulture), "-m");
        arguments.Add("-rtc", profile.HasI8042 ? "base=utc,driftfix=slew" : "base=utc", "-rtc");
    }

    private static string MachineValue(GivenSwitches given, QemuLaunch launch, MachineFamily family)
    {
        var value = new StringBuilder(ArgumentList.Escape(launch.Spec.MachineType!));
        if (!given.Has("-accel") && !given.Has("-enable-kvm"))
            value.Append(launch.Accelerator == Accelerator.Kvm ? ",accel=kvm" : ",accel=tcg");
        value.Append(",usb=off,dump-guest-core=off");
        value.Append(family switch
        {
            MachineFamily.Pc or MachineFamily.Q35 => ",vmport=off",
            // 32-bit kernels without large physical addresses can't reach devices above 4 GiB.
            MachineFamily.Virt when launch.Spec.Isa == Isa.Armhf => ",highmem=off",
            MachineFamily.Virt when launch.Spec.Isa == Isa.Aarch64 => ",gic-version=max",
            // What TCG can't offer the guest against speculation; unless said, QEMU warns at each start.
            MachineFamily.Pseries when launch.Accelerator == Accelerator.Tcg =>
                ",cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off",
            MachineFamily.Virt or MachineFamily.Pseries or MachineFamily.Other => "",
        });
        return value.ToString();
    }

    /// <summary>
    /// Packer gives flash as drives, so a template's own <c>-machine</c> keeps it and its own <c>-drive</c> or
    /// <c>-bios</c> takes it away.
    /// </summary>
    private static string FlashOptions(GivenSwitches given, QemuLaunch launch)
    {
        if (launch.Firmware is not { } firmware || given.Has("-drive") || given.Mentions("-machine", "pflash0="))
            return "";
        var smm = firmware.RequiresSmm && !given.Mentions("-machine", "smm=") ? ",smm=on" : "";
        return $"{smm},pflash0=efi-code,pflash1=efivars";
    }

    private static string Topology(CpuTopology cpu)
    {
        var value = new StringBuilder(cpu.Count.ToString(CultureInfo.InvariantCulture));
        foreach (var (name, count) in new[] { ("sockets", cpu.Sockets), ("cores", cpu.Cores), ("threads", cpu.Threads) })
        {
            if (count > 0)
                value.Append(CultureInfo.InvariantCulture, $",{name}={count}");
        }
        return value.ToString();
    }

    private static void AddBoot(ArgumentList arguments, QemuLaunch launch, BootOrder order)
    {
        if (order.Switch is { } value)
            arguments.Add("-boot", value, "-boot");
        if (launch.Spec.Firmware is { Kind: FirmwareKind.Bios, CodeFile: { } bios })
            arguments.Add("-bios", bios, "-bios");
        if (launch.Spec.Kernel is not { } kernel)
            return;
        arguments.Add("-kernel", kernel.Kernel, "-kernel");
        if (kernel.Initrd is { } initrd)
            arguments.Add("-initrd", initrd, "-initrd");
        if (kernel.CommandLine.Length > 0)
            arguments.Add("-append", kernel.CommandLine, "-append");
    }
}
