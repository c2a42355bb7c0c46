using Gantry.Engines.Qemu;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Machines.Run;

public sealed class DraftHardware : IMachineHardware
{
    public MachineSpec Resolve(MachineSpec spec) => spec with { MachineType = spec.MachineType ?? (spec.Firmware.Kind == FirmwareKind.Uefi ? "pc-q35-7.2" : "pc-i440fx-7.2") };
    public string Binary(Isa isa) => "/usr/bin/" + IsaProfiles.For(isa).Binary;
    public FirmwareFiles? Firmware(MachineSpec spec) => spec.Firmware.Kind != FirmwareKind.Uefi ? null : new FirmwareFiles { Code = "/usr/share/OVMF/OVMF_CODE_4M.fd", CodeFormat = VolumeFormat.Raw, VariablesTemplate = "/usr/share/OVMF/OVMF_VARS_4M.fd", VariablesFormat = VolumeFormat.Raw };
    public Task<ChosenAccelerator> ChooseAsync(MachineSpec spec, string? wanted, CancellationToken cancellationToken) => Task.FromResult(new ChosenAccelerator(Accelerator.Tcg, "draft"));
}
