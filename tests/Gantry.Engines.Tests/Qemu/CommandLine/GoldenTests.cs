using System.Runtime.CompilerServices;
using System.Text;
using Gantry.Engines.Qemu;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Engines.Tests.Qemu.CommandLine;

/// <summary>
/// Whole command lines, held by files in Golden/. To accept changed ones: run with GANTRY_WRITE_GOLDEN=1 and read the
/// difference.
/// </summary>
public sealed class GoldenTests
{
    private static readonly Dictionary<string, Func<QemuLaunch>> Cases = new(StringComparer.Ordinal)
    {
        ["x86_64-bios"] = () => Launches.Plain(),
        ["x86_64-bios-kvm"] = () => Launches.Plain() with { Accelerator = Accelerator.Kvm },
        ["x86_64-uefi"] = () => Launches.Plain().WithUefi(),
        ["x86_64-secure-boot-windows"] = Launches.Windows,
        ["x86_64-kernel"] = () => Launches.Plain().WithKernel(),
        ["x86_64-kernel-uefi"] = () => Launches.Plain().WithKernel().WithUefi(),
        ["x86_64-custom-bios"] = () => Launches.Plain().With(s => s with
        {
            Firmware = new FirmwareSpec { Kind = FirmwareKind.Bios, CodeFile = "/srv/seabios.bin" },
        }),
        ["i386-bios"] = () => Launches.Plain(Isa.I386),
        ["aarch64-uefi"] = () => Launches.Plain(Isa.Aarch64).WithUefi(),
        ["aarch64-kernel"] = () => Launches.Plain(Isa.Aarch64).WithKernel(),
        ["aarch64-kvm"] = () => Launches.Plain(Isa.Aarch64).WithUefi() with { Accelerator = Accelerator.Kvm },
        ["armhf-kernel"] = () => Launches.Plain(Isa.Armhf).WithKernel(),
        ["ppc64-disk"] = () => Launches.Plain(Isa.Ppc64),
        ["ppc64le-install"] = () => WithCd(Launches.Plain(Isa.Ppc64le)),
        ["riscv64-kernel"] = () => Launches.Plain(Isa.Riscv64).WithKernel(),
        ["install-bios-cd-once"] = () => WithCd(Launches.Plain()),
        ["install-uefi-cd-once"] = () => WithCd(Launches.Plain().WithUefi()),
        ["install-aarch64-cd"] = () => WithCd(Launches.Plain(Isa.Aarch64).WithUefi()),
        ["seed-on-q35"] = () => Launches.Plain().WithUefi().With(s => s with { Cdroms = [new CdromSpec { Seed = true }] })
            with
        { SeedCd = "/run/gantry/101/seed.iso" },
        ["disks-on-every-bus"] = EveryBus,
        ["disks-on-every-bus-q35"] = () => EveryBus().With(s => s with { MachineType = "pc-q35-7.2" }),
        ["disk-caches"] = Caches,
        ["networks"] = Networks,
        ["floppy-and-empty-cd"] = () => Launches.Plain().With(s => s with { Cdroms = [new CdromSpec()] })
            with
        { Floppy = "/srv/answers.img" },
        ["shared-folders"] = () => Launches.Plain().With(s => s with
        {
            SharedFolders =
            [
                new SharedFolder { HostPath = "/home/me/src, old", Tag = "src" },
                new SharedFolder { HostPath = "/srv/media", Tag = "media", ReadOnly = true },
            ],
        }),
        ["no-graphics-no-network"] = () => Launches.Plain().With(s => s with { GraphicsAdapter = "none", NetworkCards = [] }),
        ["incoming-paused"] = () => Launches.Plain() with
        {
            Incoming = true,
            Paused = true,
            GenerationId = Guid.Parse("3c8f2a10-57f4-4e2e-8a44-0d9b6c1e7a02"),
        },
        ["boot-network"] = () => Launches.Plain().With(s => s with { Boot = BootDevice.Network }),
        ["boot-cdrom"] = () => WithCd(Launches.Plain(), BootDevice.Cdrom),
        ["packer-device-replaced"] = () => Packer(("-device", "virtio-net,netdev=user.0"), ("-device", "virtio-gpu-pci")),
        ["packer-device-without-net"] = () => Packer(("-device", "virtio-gpu-pci")),
        ["packer-netdev-replaced"] = () => Packer(("-netdev", "user,id=user.0,hostfwd=tcp::2222-:22")),
        ["packer-drive-replaced"] = () => Packer(
            ("-drive", "file=output/web,if=virtio,cache=writeback,format=qcow2"), ("-drive", "file=a.iso,media=cdrom")),
        ["packer-machine-uefi"] = () => WithCd(Launches.Plain().WithUefi()).WithSwitches(("-machine", "type=q35,accel=kvm")),
        ["packer-many"] = () => Packer(
            ("-cpu", "host"), ("-m", "2048M"), ("-smp", "4"), ("-display", "none"), ("-serial", "none"),
            ("-boot", "c"), ("-vga", "std"), ("--no-reboot", null), ("-accel", "hvf")),
        ["packer-scsi-drive-named"] = () => WithCd(Launches.Plain()).WithSwitches(
            ("-device", "virtio-scsi-pci,id=scsi0"), ("-device", "scsi-hd,bus=scsi0.0,drive=drive0")),
    };

    public static TheoryData<string> Names() => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void CommandLine_OfCase_IsAsWritten(string name)
    {
        var text = Format(QemuCommandLine.Build(Cases[name]()));
        var file = Path.Combine(Folder(), $"{name}.golden");
        if (Environment.GetEnvironmentVariable("GANTRY_WRITE_GOLDEN") == "1")
            File.WriteAllText(file, text);
        Assert.True(File.Exists(file), $"{file} is missing: run with GANTRY_WRITE_GOLDEN=1, read it, keep it");
        Assert.Equal(File.ReadAllText(file), text);
    }

    [Fact]
    public void GoldenFolder_HoldsNoFileWithoutCase() =>
        Assert.Equal(Cases.Keys.Order(), Directory.GetFiles(Folder()).Select(Path.GetFileNameWithoutExtension).Order());

    [Fact]
    public void CommandLine_BuiltTwice_IsTheSame()
    {
        foreach (var make in Cases.Values)
            Assert.Equal(QemuCommandLine.Build(make()), QemuCommandLine.Build(make()));
    }

    private static QemuLaunch WithCd(QemuLaunch launch, BootDevice boot = BootDevice.CdromOnce) =>
        launch.With(s => s with { Boot = boot, Cdroms = [new CdromSpec { File = "debian.iso" }] })
        with
        { Cdroms = ["/isos/debian.iso"] };

    private static QemuLaunch Packer(params (string, string?)[] switches) =>
        WithCd(Launches.Plain() with { Ports = [new LaunchPort(0, "127.0.0.1", 3322, 22)] }).WithSwitches(switches);

    private static QemuLaunch EveryBus()
    {
        DiskBus[] buses = [DiskBus.Virtio, DiskBus.Scsi, DiskBus.Scsi, DiskBus.Ide, DiskBus.Ide, DiskBus.Sata, DiskBus.Nvme];
        return Launches.Plain().With(s => s with
        {
            Cdroms = [new CdromSpec(), new CdromSpec { Bus = DiskBus.Sata }, new CdromSpec { Bus = DiskBus.Scsi }],
        }) with
        {
            Disks = [.. buses.Select((bus, i) => new LaunchDisk { Chain = [Launches.Link($"d{i}")], Bus = bus })],
            Cdroms = ["/isos/a.iso", "/isos/b.iso", null],
        };
    }

    private static QemuLaunch Caches()
    {
        string[] caches = ["writeback", "none", "unsafe", "directsync", "writethrough"];
        return Launches.Plain() with
        {
            Disks =
            [
                .. caches.Select((cache, i) => new LaunchDisk
                {
                    Chain = [Launches.Link($"c{i}"), Launches.Link($"b{i}"), Launches.Link($"a{i}", VolumeFormat.Raw)],
                    Cache = cache,
                    Discard = i % 2 == 0,
                    DetectZeroes = i == 0 ? "unmap" : i == 1 ? "off" : null,
                }),
            ],
        };
    }

    private static QemuLaunch Networks() => Launches.Plain().With(s => s with
    {
        NetworkCards =
        [
            new NetworkCardSpec { Mac = "52:54:00:00:00:01" },
            new NetworkCardSpec { Mac = "52:54:00:00:00:02", Device = "e1000", Restricted = true },
            new NetworkCardSpec { Mac = "52:54:00:00:00:03", Bridge = "br0" },
        ],
    }) with
    {
        Ports =
        [
            new LaunchPort(0, "127.0.0.1", 8080, 80),
            new LaunchPort(0, "0.0.0.0", 5353, 53, Udp: true),
            new LaunchPort(1, "", 2222, 22),
        ],
    };

    /// <summary>A switch and its value on one line.</summary>
    private static string Format(IReadOnlyList<string> arguments)
    {
        var text = new StringBuilder();
        for (var i = 0; i < arguments.Count; i++)
        {
            var isSwitch = arguments[i].StartsWith('-');
            text.Append(!isSwitch ? " " : i > 0 ? "\n" : "").Append(arguments[i]);
        }
        return text.Append('\n').ToString();
    }

    private static string Folder([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../Golden"));
}
