using System.Diagnostics;
using Gantry.Machines.Guest;
using Gantry.Model.Machines;

namespace Gantry.Machines.Tests.Guest;

public sealed class ReseedProgramTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-reseed-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Isa.X86_64, "X86-64")]
    [InlineData(Isa.Aarch64, "AArch64")]
    public async Task ReseedProgram_IsAnElfFile(Isa isa, string machine)
    {
        var path = Path.Combine(_folder, "reseed");
        await File.WriteAllBytesAsync(path, ReseedProgram.For(isa)!, TestContext.Current.CancellationToken);
        var (status, text) = await RunAsync("readelf", "-hlW", path);
        Assert.Equal(0, status);
        Assert.Matches($@"Machine:\s+.*{machine}", text);
        Assert.Contains("EXEC (Executable file)", text, StringComparison.Ordinal);
        Assert.Matches(@"LOAD\s+0x0+ 0x0*400000 .* R E 0x10000", text);
        Assert.DoesNotContain("Warning", text, StringComparison.Ordinal);
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
