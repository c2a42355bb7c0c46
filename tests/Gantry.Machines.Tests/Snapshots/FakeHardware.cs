using Gantry.Engines.Qemu;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Tests.Snapshots;

/// <summary>A host that has whatever is asked for: UEFI for machines that want it, and TCG.</summary>
internal sealed class FakeHardware : IMachineHardware
{
    public MachineSpec Resolve(MachineSpec spec) => spec with { MachineType = spec.MachineType ?? "pc-q35-7.2" };

    public string Binary(Isa isa) => "/usr/bin/qemu-system-x86_64";

    public FirmwareFiles? Firmware(MachineSpec spec) => spec.Firmware.Kind == FirmwareKind.Uefi
        ? new FirmwareFiles { Code = "/firmware/code.fd", VariablesTemplate = "/firmware/variables.fd" }
        : null;

    public Task<ChosenAccelerator> ChooseAsync(MachineSpec spec, string? wanted, CancellationToken cancellationToken) =>
        Task.FromResult(new ChosenAccelerator(Accelerator.Tcg, "a fake host"));
}
