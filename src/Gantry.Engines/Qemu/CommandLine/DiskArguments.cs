using System.Text.Json.Nodes;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Engines.Qemu.CommandLine;

/// <summary>Disks, CDs, the floppy and the firmware's flash.</summary>
internal sealed class DiskArguments
{
    /// <summary>OVMF looks at SCSI targets 0 to 31; CDs take the upper ones.</summary>
    private const int FirstScsiCd = 24;

    private readonly ArgumentList _arguments;
    private readonly QemuLaunch _launch;
    private readonly MachineFamily _family;
    private readonly BootOrder _order;
    private readonly HashSet<(string Controller, int Slot)> _usedSlots = [];
    private bool _hasScsi;
    private bool _hasAhci;

    public DiskArguments(ArgumentList arguments, QemuLaunch launch, BootOrder order)
    {
        _arguments = arguments;
        _launch = launch;
        _family = IsaProfile.FamilyOf(arguments.Given.MachineType ?? launch.Spec.MachineType!);
        _order = order;
    }

    public void Add()
    {
        AddFirmware();
        for (var i = 0; i < _launch.Disks.Count; i++)
            AddDisk(i, _launch.Disks[i]);
        for (var i = 0; i < _launch.Spec.Cdroms.Count; i++)
            AddCdrom(i, _launch.Spec.Cdroms[i]);
        if (_launch.Floppy is { } floppy)
            AddFloppy(floppy);
    }

    private void AddFirmware()
    {
        if (_launch.Firmware is not { } firmware)
            return;
        Blockdev(BlockNodes.ReadOnly("efi-code", firmware.Code, firmware.CodeFormat));
        foreach (var node in BlockNodes.Chain("efivars", new LaunchDisk { Chain = _launch.Variables, Discard = false }))
            Blockdev(node);
    }

    private void AddDisk(int index, LaunchDisk disk)
    {
        var name = $"disk{index}";
        foreach (var node in BlockNodes.Chain(name, disk))
            Blockdev(node);
        // A template that names our drive in a device of its own brings the device.
        if (_arguments.Given.HasPart("-device", $"drive={name}"))
            return;
        var bus = IsaProfile.DiskBus(disk.Bus);
        var common = $"id={name},drive={name}"
            + (BlockNodes.Cache.Parse(disk.Cache).GuestMayWriteBack ? "" : ",write-cache=off")
            + _order.ForDisk(index);
        var device = bus switch
        {
            DiskBus.Default or DiskBus.Virtio => $"virtio-blk-pci,{common},serial={name}",
            DiskBus.Scsi => $"scsi-hd,{ScsiPlace(index)},{common},serial={name}",
            DiskBus.Ide => $"ide-hd,{IdePlace(isCdrom: false)},{common},serial={name}",
            DiskBus.Sata => $"ide-hd,{SataPlace(isCdrom: false)},{common},serial={name}",
            DiskBus.Nvme => $"nvme,{common},serial={name}",
        };
        _arguments.Device(device, replacedBy: "-drive");
    }

    private void AddCdrom(int index, CdromSpec cdrom)
    {
        var name = $"cd{index}";
        var media = cdrom.Seed ? _launch.SeedCd : index < _launch.Cdroms.Count ? _launch.Cdroms[index] : null;
        if (media is not null)
            Blockdev(BlockNodes.ReadOnly($"{name}-media", media));
        if (media is not null && _arguments.Given.HasPart("-device", $"drive={name}-media"))
            return;
        var common = $"id={name}" + (media is null ? "" : $",drive={name}-media")
            + (cdrom.Seed ? "" : _order.ForCdrom(index));
        var device = IsaProfile.CdromBus(_family, _launch.Spec.Firmware.Kind, cdrom) switch
        {
            DiskBus.Ide => $"ide-cd,{IdePlace(isCdrom: true)},{common}",
            DiskBus.Sata => $"ide-cd,{SataPlace(isCdrom: true)},{common}",
            DiskBus.Default or DiskBus.Scsi => $"scsi-cd,{ScsiPlace(FirstScsiCd + index)},{common}",
            DiskBus.Virtio when media is not null => $"virtio-blk-pci,{common}",
            DiskBus.Virtio or DiskBus.Nvme => throw new ProblemException(
                ProblemKind.InvalidInput,
                $"a CD drive can't be on the bus {cdrom.Bus.ToString().ToLowerInvariant()}",
                "use ide, sata or scsi"),
        };
        _arguments.Device(device, replacedBy: "-drive");
    }

    private void AddFloppy(string path)
    {
        if (_family is not (MachineFamily.Pc or MachineFamily.Q35))
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"a machine of type {_launch.Spec.MachineType} has no floppy drive",
                "put the files on a CD instead (cd_files)");
        }
        _arguments.Add("-blockdev", Json(BlockNodes.ReadOnly("floppy0-media", path)), "-fda");
        if (_family == MachineFamily.Q35)
            _arguments.Device("isa-fdc,id=fdc0", "-fda");
        _arguments.Device("floppy,id=floppy0,drive=floppy0-media,drive-type=144", "-fda");
    }

    /// <summary>The PATA controller of <c>pc</c>; on other machines, which have none, SATA.</summary>
    private string IdePlace(bool isCdrom)
    {
        if (_family != MachineFamily.Pc)
            return SataPlace(isCdrom);
        // CDs begin where PCs have them: master of the second channel.
        int[] slots = isCdrom ? [2, 3, 0, 1] : [0, 1, 2, 3];
        var slot = Take("ide", slots, "an i440FX machine has room for four IDE drives");
        return $"bus=ide.{slot / 2},unit={slot % 2}";
    }

    private string SataPlace(bool isCdrom)
    {
        int[] slots = isCdrom ? [2, 3, 4, 5, 1, 0] : [0, 1, 5, 4, 3, 2];
        var slot = Take("sata", slots, "a SATA controller has room for six drives");
        if (_family == MachineFamily.Q35)
            return $"bus=ide.{slot}";
        if (!_hasAhci)
            _arguments.Device("ich9-ahci,id=ahci0", "-drive");
        _hasAhci = true;
        return $"bus=ahci0.{slot}";
    }

    private string ScsiPlace(int target)
    {
        if (target > 31)
            throw new ProblemException(ProblemKind.InvalidInput, "a machine has room for 32 SCSI drives");
        if (!_hasScsi && !_arguments.Given.HasPart("-device", "id=scsi0"))
            _arguments.Device("virtio-scsi-pci,id=scsi0", "-drive");
        _hasScsi = true;
        return $"bus=scsi0.0,scsi-id={target},lun=0";
    }

    private int Take(string controller, int[] slots, string whenFull)
    {
        foreach (var slot in slots)
        {
            if (_usedSlots.Add((controller, slot)))
                return slot;
        }
        throw new ProblemException(ProblemKind.InvalidInput, whenFull, "put some on virtio or scsi");
    }

    private void Blockdev(JsonObject node) => _arguments.Add("-blockdev", Json(node), "-drive");

    private static string Json(JsonObject node) => node.ToJsonString();
}
