using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Run;

/// <summary>What QEMU on this host gives.</summary>
public sealed class HostHardware(QemuHost host, TimeProvider time) : IMachineHardware
{
    private readonly KvmProbe _probe = new(host, time);

    public MachineSpec Resolve(MachineSpec spec) => QemuDefaults.Resolve(spec, host);

    public string Binary(Isa isa) => QemuHost.FindBinary(isa);

    public FirmwareFiles? Firmware(MachineSpec spec) =>
        spec.Kernel is not null && spec.Firmware.Kind == FirmwareKind.Default
            ? null
            : host.Firmware(spec.Isa, spec.Firmware, spec.MachineType ?? throw new ArgumentException("the spec is not resolved", nameof(spec)));

    public async Task<ChosenAccelerator> ChooseAsync(
        MachineSpec spec, string? wanted, CancellationToken cancellationToken)
    {
        Accelerator? asked = wanted switch
        {
            null or "" or "none" => null,
            "kvm" => Accelerator.Kvm,
            "tcg" => Accelerator.Tcg,
            _ => throw new ProblemException(
                ProblemKind.InvalidInput, $"'{wanted}' is no accelerator that Gantry has", "use kvm or tcg, or leave it open"),
        };
        var choice = await AcceleratorChoice.ForAsync(spec.Isa, _probe, asked, cancellationToken).ConfigureAwait(false);
        return new ChosenAccelerator(choice.Accelerator, choice.Reason);
    }
}
