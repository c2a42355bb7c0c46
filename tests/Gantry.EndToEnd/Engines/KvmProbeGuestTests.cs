using Gantry.Engines.Qemu;
using Gantry.Model.Machines;

namespace Gantry.EndToEnd.Engines;

/// <summary>The probe's guests themselves, translated: on a host without KVM they must run as well.</summary>
public sealed class KvmProbeGuestTests
{
    [Theory]
    [InlineData(Isa.X86_64)]
    [InlineData(Isa.Aarch64)]
    public async Task Guest_OnTcg_RunsToItsEnd(Isa isa)
    {
        var probe = new KvmProbe(TestMachine.SharedHost, TimeProvider.System) { Deadline = TimeSpan.FromSeconds(60) };
        var verdict = await probe.RunAsync(
            isa, QemuHost.FindBinary(isa), "tcg", TestContext.Current.CancellationToken);
        Assert.True(verdict.Works, verdict.Reason);
    }
}
