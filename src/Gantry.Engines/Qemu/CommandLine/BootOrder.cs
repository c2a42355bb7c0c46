using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu.CommandLine;

/// <summary>
/// Where a machine starts from. Firmware takes it from the devices' bootindex; only "the CD once" needs QEMU's older
/// switch, which it follows only when no device has an index.
/// </summary>
internal sealed class BootOrder
{
    private readonly BootDevice _boot;
    private readonly bool _indexed;
    private readonly int _disks;
    private readonly int _cdroms;

    public BootOrder(QemuLaunch launch, GivenSwitches given)
    {
        _boot = launch.Spec.Boot;
        _disks = launch.Disks.Count;
        _cdroms = launch.Spec.Cdroms.Count;
        var profile = IsaProfiles.For(launch.Spec.Isa);
        var isOnce = _boot == BootDevice.CdromOnce && profile.HasBootOnce && launch.Firmware is null;
        var isOurs = launch.Spec.Kernel is null && !given.Has("-boot");
        Switch = isOnce && isOurs ? "once=d" : null;
        _indexed = isOurs && !isOnce;
    }

    /// <summary>The value of <c>-boot</c>; null for none.</summary>
    public string? Switch { get; }

    // With UEFI, where "once" does not exist, the disk comes first: while it is empty, firmware goes on to the CD.
    public string ForDisk(int index) => Index(index + 1 + _boot switch
    {
        BootDevice.Disk or BootDevice.CdromOnce => 0,
        BootDevice.Cdrom => _cdroms,
        BootDevice.Network => 1,
    });

    public string ForCdrom(int index) => Index(index + 1 + _boot switch
    {
        BootDevice.Disk or BootDevice.CdromOnce => _disks,
        BootDevice.Cdrom => 0,
        BootDevice.Network => 1 + _disks,
    });

    /// <summary>The first card only, and only where it comes first: each attempt takes firmware a minute.</summary>
    public string ForNetworkCard(int index) => _boot == BootDevice.Network && index == 0 ? Index(1) : "";

    private string Index(int value) => _indexed ? $",bootindex={value}" : "";
}
