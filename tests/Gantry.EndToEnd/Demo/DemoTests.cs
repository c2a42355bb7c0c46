using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Gantry.EndToEnd.Demo;

/// <summary>The README's first command, as a person runs it: the program itself, in a home of its own.</summary>
public sealed partial class DemoTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("gantry-e2e-demo-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await RunAsync("demo", "--reset");
        _home.Delete(recursive: true);
    }

    [Fact]
    public async Task Demo_FreshHome_ServesItsPageAndComesBackQuickly()
    {
        var (code, said) = await RunAsync("demo");
        Assert.True(code == 0, said);
        foreach (var part in (string[])["making the installer ISO", "building the template", "until the page answers", "Try next:"])
            Assert.Contains(part, said, StringComparison.Ordinal);
        using var client = new HttpClient();
        var page = await client.GetStringAsync(AddressOf(said), Cancel);
        foreach (var fact in (string[])["rezowifix", "x86_64", "TCG"])
            Assert.Contains(fact, page, StringComparison.OrdinalIgnoreCase);
        // The ISO and the template, by their digests.
        Assert.True(Digest().Count(page) >= 2, page);

        var start = TimeProvider.System.GetTimestamp();
        (code, said) = await RunAsync("demo", "--once");
        Assert.True(code == 0, said);
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60), said);
        Assert.Contains("shut down", said, StringComparison.Ordinal);
        var (_, list) = await RunAsync("list", "-o", "json");
        Assert.Contains("stopped", list, StringComparison.OrdinalIgnoreCase);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync(AddressOf(said), Cancel));

        (code, said) = await RunAsync("demo", "--reset");
        Assert.True(code == 0, said);
        (_, list) = await RunAsync("list", "-o", "json");
        Assert.DoesNotContain("rezowifix", list, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_home.FullName, "*.qcow2", SearchOption.AllDirectories));
    }

    private static string AddressOf(string said) => Address().Match(said).Value;

    private async Task<(int Code, string Said)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "gantry"), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["GANTRY_HOME"] = _home.FullName;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None).WaitAsync(Patience, TimeProvider.System, Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, output + await error);
    }

    [GeneratedRegex("<span title=\"(sha256:)?[0-9a-f]{64}\">")]
    private static partial Regex Digest();

    [GeneratedRegex(@"http://127\.0\.0\.1:[0-9]+/")]
    private static partial Regex Address();
}
