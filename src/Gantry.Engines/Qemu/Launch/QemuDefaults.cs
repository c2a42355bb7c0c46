using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu;

/// <summary>Fills in what a spec leaves open, once, so that a machine stays what it was when QEMU is upgraded.</summary>
public static class QemuDefaults
{
    private const int MaxCpus = 1024;
    private const int MinMemoryMiB = 16;

    /// <summary>
    /// Firmware, pinned machine type, devices and buses. The CPU model stays open where it was: it follows the
    /// accelerator at each start.
    /// </summary>
    /// <exception cref="ProblemException">Something in the spec can't be had on this host.</exception>
    public static MachineSpec Resolve(MachineSpec spec, QemuHost host)
    {
        var profile = IsaProfiles.For(spec.Isa);
        Check(spec);
        var kind = FirmwareOf(spec, profile);
        var machineType = host.PinMachineType(
            spec.Isa,
            spec.MachineType ?? (kind == FirmwareKind.Uefi ? profile.UefiMachineType : profile.MachineType));
        var family = IsaProfile.FamilyOf(machineType);
        if (spec.Firmware.SecureBoot && family == MachineFamily.Pc)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"Secure Boot is not possible on the machine type {machineType}",
                "use q35, or leave the machine type open");
        }
        return spec with
        {
            MachineType = machineType,
            Firmware = spec.Firmware with { Kind = kind },
            GraphicsAdapter = spec.GraphicsAdapter ?? profile.GraphicsAdapter,
            Tpm = spec.Tpm is { } tpm ? tpm with { Device = tpm.Device ?? profile.TpmDevice } : null,
            Disks = [.. spec.Disks.Select(d => d with { Bus = IsaProfile.DiskBus(d.Bus) })],
            Cdroms = [.. spec.Cdroms.Select(c => c with { Bus = IsaProfile.CdromBus(family, kind, c) })],
            NetworkCards = [.. spec.NetworkCards.Select(n => n with { Device = n.Device ?? profile.NetworkDevice })],
        };
    }

    private static FirmwareKind FirmwareOf(MachineSpec spec, IsaProfile profile)
    {
        var asked = spec.Firmware.Kind;
        if (asked == FirmwareKind.Default && spec.Firmware.SecureBoot)
            return FirmwareKind.Uefi;
        if (asked == FirmwareKind.Bios && !profile.HasI8042)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"machines of {spec.Isa.Name()} have no BIOS", "leave the firmware open");
        }
        if (asked == FirmwareKind.Uefi && profile.FirmwarePackage is null)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"there is no UEFI firmware for {spec.Isa.Name()}", "leave the firmware open");
        }
        if (asked != FirmwareKind.Default)
            return asked;
        // ARM's virt starts a given kernel without any firmware; a PC's BIOS helps with that.
        return spec.Kernel is not null && profile.Firmware == FirmwareKind.Uefi ? FirmwareKind.Default : profile.Firmware;
    }

    private static void Check(MachineSpec spec)
    {
        if (spec.Cpu.Count is < 1 or > MaxCpus)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"a machine can't have {spec.Cpu.Count} CPUs", $"use 1 to {MaxCpus}");
        }
        if (spec.MemoryMiB < MinMemoryMiB)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"{spec.MemoryMiB} MiB of memory are too few", $"use at least {MinMemoryMiB}");
        }
    }
}
