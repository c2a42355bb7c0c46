using Gantry.Engines.Qemu;
using Gantry.Model;

namespace Gantry.Engines.Tests.Qemu.Running;

public sealed class QemuFailuresTests
{
    // Each is what QEMU 7.2 printed.
    [Theory]
    [InlineData("-netdev user,id=n: Could not set up host forwarding rule 'tcp:127.0.0.1:22-:22'", ProblemKind.Unavailable, "'tcp:127.0.0.1:22-:22' is in use")]
    [InlineData("-blockdev {}: Failed to get \"write\" lock\nIs another process using the image [/v/a.qcow2]?", ProblemKind.Conflict, "in use by another process")]
    [InlineData("cannot set up guest memory 'pc.ram': Cannot allocate memory", ProblemKind.Unavailable, "memory")]
    [InlineData("unable to find CPU model 'host2'", ProblemKind.InvalidInput, "'host2'")]
    [InlineData("-machine x: unsupported machine type", ProblemKind.InvalidInput, "machine type")]
    [InlineData("-blockdev {}: Could not open '/v/a.qcow2': Permission denied", ProblemKind.Unavailable, "/v/a.qcow2: Permission denied")]
    [InlineData("-vnc 127.0.0.1:1: Failed to bind socket: Address already in use", ProblemKind.Unavailable, "in use")]
    [InlineData("failed to initialize kvm: Permission denied", ProblemKind.Unavailable, "KVM")]
    [InlineData("something new", ProblemKind.Failed, "exit code 1")]
    public void Log_OfCommonCause_IsTranslated(string log, ProblemKind kind, string expected)
    {
        var problem = QemuFailures.FromLog("web", $"2026-01-31T12:00:00.000000Z qemu-system-x86_64: {log}\n", "exit code 1");
        Assert.Equal(kind, problem.Kind);
        Assert.StartsWith("web could not be started", problem.Summary, StringComparison.Ordinal);
        Assert.Contains(expected, problem.Summary, StringComparison.Ordinal);
        Assert.StartsWith("QEMU says: qemu-system-x86_64: ", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Log_OfManyLines_IsCutToItsEndWithoutWarnings()
    {
        var lines = Enumerable.Range(0, 100).Select(i => i % 2 == 0 ? $"warning: {i}" : $"line {i}");
        var tail = QemuFailures.Tail(string.Join('\n', lines)).Split('\n');
        Assert.Equal(12, tail.Length);
        Assert.Equal("line 99", tail[^1]);
        Assert.DoesNotContain(tail, l => l.Contains("warning", StringComparison.Ordinal));
    }

    [Fact]
    public void MissingLog_IsEmpty() => Assert.Equal("", QemuFailures.ReadTail("/no/such/log"));

    [Theory]
    [InlineData("Failed to get \"write\" lock", ProblemKind.InUse)]
    [InlineData("Node 'disk0' is busy: block device is in use by block job: stream", ProblemKind.Failed)]
    public void KindOf_ARefusal_TellsAnImageInUseFromOtherFailures(string text, ProblemKind kind) =>
        Assert.Equal(kind, QemuFailures.KindOf(text));
}
