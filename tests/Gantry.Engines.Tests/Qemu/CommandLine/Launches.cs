using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Engines.Tests.Qemu.CommandLine;

/// <summary>Launches to build command lines from: one plain machine, and what makes others of it.</summary>
internal static class Launches
{
    private static readonly Guid Uuid = Guid.Parse("6f1c7b1e-2a0d-4a4e-9d5b-0a9c8d7e6f50");

    public static QemuLaunch Plain(Isa isa = Isa.X86_64)
    {
        var profile = IsaProfiles.For(isa);
        return new QemuLaunch
        {
            Number = new MachineNumber(101),
            Uuid = Uuid,
            Spec = new MachineSpec
            {
                Name = "web",
                Isa = isa,
                MachineType = Pinned(profile.MachineType),
                NetworkCards = [new NetworkCardSpec { Mac = "52:54:00:aa:bb:cc" }],
                Disks = [Spec("0123456789abcdef")],
            },
            Accelerator = Accelerator.Tcg,
            Binary = $"/usr/bin/{profile.Binary}",
            Run = RunPaths.For("/run/gantry/101"),
            Disks = [new LaunchDisk { Chain = [Link("top"), Link("base")] }],
        };
    }

    public static QemuLaunch WithKernel(this QemuLaunch launch) => launch.With(s => s with
    {
        Kernel = new DirectBoot
        {
            Kernel = "/boot/vmlinuz",
            Initrd = "/boot/initrd.img",
            CommandLine = "console=ttyS0 quiet root=/dev/vda1",
        },
    });

    public static QemuLaunch With(this QemuLaunch launch, Func<MachineSpec, MachineSpec> change) =>
        launch with { Spec = change(launch.Spec) };

    public static QemuLaunch WithSwitches(this QemuLaunch launch, params (string Name, string? Value)[] switches) =>
        launch.With(s => s with
        {
            QemuSwitches = [.. switches.Select(g => new QemuSwitch { Name = g.Name, Value = g.Value })],
        });

    public static QemuLaunch WithUefi(this QemuLaunch launch, bool secure = false)
    {
        var isPc = launch.Spec.Isa is Isa.X86_64 or Isa.I386;
        var folder = isPc ? "/usr/share/OVMF/OVMF" : "/usr/share/AAVMF/AAVMF";
        return launch.With(s => s with
        {
            MachineType = Pinned(IsaProfiles.For(s.Isa).UefiMachineType),
            Firmware = new FirmwareSpec { Kind = FirmwareKind.Uefi, SecureBoot = secure },
        }) with
        {
            Firmware = new FirmwareFiles
            {
                Code = secure ? $"{folder}_CODE.ms.fd" : $"{folder}_CODE.fd",
                VariablesTemplate = secure ? $"{folder}_VARS.ms.fd" : $"{folder}_VARS.fd",
                RequiresSmm = secure && isPc,
            },
            Variables = [Link("vars"), Link("vars-base")],
        };
    }

    /// <summary>An unattended Windows installation as a template of Packer's describes it.</summary>
    public static QemuLaunch Windows() => Plain().WithUefi(secure: true).With(s => s with
    {
        Name = "windows-2025",
        Cpu = new CpuTopology { Count = 4, Sockets = 1, Cores = 4, Threads = 1 },
        MemoryMiB = 8192,
        Boot = BootDevice.CdromOnce,
        Tpm = new TpmSpec { Device = "tpm-crb" },
        Cdroms = [new CdromSpec { File = "install.iso" }, new CdromSpec { File = "virtio-win.iso" }],
    }) with
    {
        Accelerator = Accelerator.Kvm,
        Cdroms = ["/isos/windows-2025.iso", "/isos/virtio-win-0.1.266.iso"],
        Floppy = "/var/lib/gantry/builds/7/autounattend.img",
        TpmStateDirectory = "/var/lib/gantry/machines/101/tpm",
        Vnc = new LaunchVnc("127.0.0.1", 5971, Password: true),
    };

    public static string Pinned(string alias) => alias switch
    {
        "pc" => "pc-i440fx-7.2",
        "q35" => "pc-q35-7.2",
        _ => $"{alias}-7.2",
    };

    public static ChainLink Link(string name, VolumeFormat format = VolumeFormat.Qcow2) =>
        new($"/var/lib/gantry/volumes/{name}{(format == VolumeFormat.Qcow2 ? ".qcow2" : ".raw")}", format);

    public static DiskSpec Spec(string volume) => new() { Volume = new VolumeId(volume) };
}
