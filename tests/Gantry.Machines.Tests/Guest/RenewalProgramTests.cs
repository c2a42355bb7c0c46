using System.Diagnostics;
using Gantry.Machines.Guest;
using Gantry.Model.Machines;

namespace Gantry.Machines.Tests.Guest;

public sealed class RenewalProgramTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-renewal-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Isa.X86_64, "X86-64")]
    [InlineData(Isa.Aarch64, "AArch64")]
    public async Task RenewalProgram_IsAnElfFile(Isa isa, string machine)
    {
        var path = Path.Combine(_folder, "renewal");
        await File.WriteAllBytesAsync(path, RenewalProgram.For(isa)!, TestContext.Current.CancellationToken);
        var (status, text) = await RunAsync("readelf", "-hlW", path);
        Assert.Equal(0, status);
        Assert.Matches($@"Machine:\s+.*{machine}", text);
        Assert.Contains("EXEC (Executable file)", text, StringComparison.Ordinal);
        Assert.Matches(@"LOAD\s+0x0+ 0x0*400000 .* R E 0x10000", text);
        Assert.DoesNotContain("Warning", text, StringComparison.Ordinal);
    }

    /// <summary>A message that is cut short: nothing of it is used, so the host's clock stays.</summary>
    [Fact]
    public async Task RenewalProgram_SaysThatItWaits_AndRefusesHalfAMessage()
    {
        Assert.SkipUnless(System.Runtime.InteropServices.RuntimeInformation.OSArchitecture
            == System.Runtime.InteropServices.Architecture.X64, "the program is for another instruction set");
        var path = Path.Combine(_folder, "renewal");
        await File.WriteAllBytesAsync(path, RenewalProgram.For(Isa.X86_64)!, TestContext.Current.CancellationToken);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal((1, "\n"), await RunAsync("/bin/sh", "-c", $"head -c 55 /dev/zero | {path}"));
    }

    [Theory]
    [InlineData(Isa.I386)]
    [InlineData(Isa.Armhf)]
    [InlineData(Isa.Ppc64)]
    [InlineData(Isa.Riscv64)]
    public async Task Perl_SaysThatItWaits_AndRefusesHalfAMessage(Isa isa)
    {
        Assert.DoesNotContain('\'', RenewalProgram.Perl(isa));
        Assert.Equal((1, "\n"), await RunAsync("/bin/sh", "-c", $"head -c 55 /dev/zero | perl -e '{RenewalProgram.Perl(isa)}'"));
    }

    private static async Task<(int Status, string Output)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output + await error);
    }
}
