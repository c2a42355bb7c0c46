using System.Diagnostics;
using Gantry.Imaging.Builds;

namespace Gantry.Imaging.Tests.Builds;

public sealed class GuestTextTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-guest-text-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void SecretFilter_ReplacesValues_AndEachOfTheirLines()
    {
        var filter = new SecretFilter();
        filter.Add("hunter2");
        filter.Add("hunter2-and-more");
        filter.Add("-----BEGIN KEY-----\r\nabcdef0123\r\n-----END KEY-----\n");
        filter.Add("abc");
        filter.Add(null);
        filter.Add("   ");
        Assert.Equal("<sensitive> <sensitive>! abc", filter.Apply("hunter2-and-more hunter2! abc"));
        Assert.Equal("read <sensitive> there", filter.Apply("read abcdef0123 there"));
    }

    [Theory]
    [InlineData("\u001b[1;32mgreen\u001b[0m", "green")]
    [InlineData("10%\r50%\r100%", "100%")]
    [InlineData("line\r", "line")]
    [InlineData("\u001b]0;title\aprompt", "prompt")]
    [InlineData("a\tb\u0007\ufffd", "a b")]
    [InlineData("\u001b[2J\u001b[H", "")]
    [InlineData("cut\u001b[1;", "cut")]
    [InlineData("cut\u001b", "cut")]
    [InlineData("\u001b(Bplain", "plain")]
    public void TerminalText_IsCleaned(string text, string clean) => Assert.Equal(clean, TerminalText.Clean(text));

    [Theory]
    [InlineData(null)]
    [InlineData("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA gantry build")]
    public async Task SealScript_IsAShellScript(string? key)
    {
        var script = SealScript.For(key, "root");
        Assert.DoesNotContain("@KEY@", script, StringComparison.Ordinal);
        var path = Path.Combine(_folder, "seal.sh");
        await File.WriteAllTextAsync(path, script, TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), await RunAsync("/bin/sh", "-n", path));
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
