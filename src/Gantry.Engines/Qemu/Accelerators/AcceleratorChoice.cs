using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu;

/// <summary>How a machine's instructions will be run, and why so.</summary>
public sealed record AcceleratorChoice
{
    public required Accelerator Accelerator { get; init; }

    /// <summary>One sentence for a person.</summary>
    public required string Reason { get; init; }

    /// <summary>KVM where it is proven to work for the ISA, else TCG; or what the user asked for.</summary>
    /// <param name="asked">null leaves the choice to us.</param>
    /// <exception cref="ProblemException">KVM was asked for and does not work, or QEMU is not installed.</exception>
    public static async Task<AcceleratorChoice> ForAsync(
        Isa isa, KvmProbe probe, Accelerator? asked = null, CancellationToken cancellationToken = default)
    {
        if (asked == Accelerator.Tcg)
            return new AcceleratorChoice { Accelerator = Accelerator.Tcg, Reason = "tcg was asked for" };
        var verdict = await probe.AskAsync(isa, cancellationToken).ConfigureAwait(false);
        if (verdict.Works)
            return new AcceleratorChoice { Accelerator = Accelerator.Kvm, Reason = verdict.Reason };
        if (asked == Accelerator.Kvm)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"kvm was asked for, but does not work here: {verdict.Reason}",
                "leave the accelerator open, or ask for tcg");
        }
        return new AcceleratorChoice
        {
            Accelerator = Accelerator.Tcg,
            Reason = $"{verdict.Reason}; so tcg, which takes 10 to 30 times as long",
        };
    }
}
