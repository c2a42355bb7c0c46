using Gantry.Engines.Qemu;
using Gantry.Model.Machines;

namespace Gantry.Engines.Tests.Qemu;

public sealed class KvmProbeTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-engines-");

    [Fact]
    public async Task GuestThatHangs_IsEndedAtTheDeadline()
    {
        var verdict = await AskAsync("exec sleep 60");
        Assert.False(verdict.Works);
        Assert.Contains("did not run within 0.3 s", verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task QemuThatFails_ReasonHoldsItsWords()
    {
        var verdict = await AskAsync("echo 'qemu: kvm run failed: Bad address' >&2; exit 1");
        Assert.False(verdict.Works);
        Assert.Contains("kvm run failed", verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GuestThatComputedWrongly_DoesNotCount() =>
        Assert.False((await AskAsync("exit 43")).Works); // (0x15 << 1) | 1: the guest's own word for a wrong sum

    [Fact]
    public async Task GuestThatRan_Counts() => Assert.True((await AskAsync("exit 85")).Works);

    [Fact]
    public void ForeignIsa_IsRefusedWithoutTrying() =>
        Assert.Contains("translated", KvmProbe.Refusal(Isa.Ppc64le), StringComparison.Ordinal);

    private async Task<KvmVerdict> AskAsync(string script)
    {
        var program = Path.Combine(_folder.FullName, "qemu");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var probe = new KvmProbe(new QemuHost(_folder.FullName), TimeProvider.System)
        {
            Deadline = TimeSpan.FromSeconds(script.Contains("sleep", StringComparison.Ordinal) ? 0.3 : 30),
        };
        return await probe.RunAsync(Isa.X86_64, program, "kvm", TestContext.Current.CancellationToken);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
