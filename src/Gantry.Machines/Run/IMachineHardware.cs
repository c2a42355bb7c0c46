using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Run;

/// <summary>How guest code will be executed, and why so.</summary>
/// <param name="Reason">A sentence for people.</param>
public sealed record ChosenAccelerator(Accelerator Accelerator, string Reason);

/// <summary>What this host can give to machines; facts about it, with no state of their own.</summary>
public interface IMachineHardware
{
    /// <summary>
    /// The spec with everything filled in that it leaves to the ISA; above all the machine type is pinned.
    /// </summary>
    MachineSpec Resolve(MachineSpec spec);

    /// <summary>QEMU's program for an ISA, absolute.</summary>
    /// <exception cref="ProblemException">It is not installed; the remedy names the package.</exception>
    string Binary(Isa isa);

    /// <summary>The UEFI firmware for a resolved spec; null where the machine starts with something else.</summary>
    /// <exception cref="ProblemException">It is not installed; the remedy names the package.</exception>
    FirmwareFiles? Firmware(MachineSpec spec);

    /// <summary>Chooses by proof, or takes what was asked for.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="wanted">kvm or tcg; null or none chooses.</param>
    /// <param name="cancellationToken">Ends the probe.</param>
    /// <exception cref="ProblemException">What was asked for does not work here.</exception>
    Task<ChosenAccelerator> ChooseAsync(MachineSpec spec, string? wanted, CancellationToken cancellationToken);
}
