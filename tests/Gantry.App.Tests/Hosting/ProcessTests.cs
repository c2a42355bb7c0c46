using System.Diagnostics;
using Gantry.App.Tests.Scripts;

namespace Gantry.App.Tests.Hosting;

/// <summary>The program's frame in real processes: signals, and a real terminal (tmux).</summary>
public sealed class ProcessTests : IDisposable
{
    private static readonly string TestProgram = Path.Combine(AppContext.BaseDirectory, "Gantry.App.TestProgram");
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-process-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    [InlineData("HUP", 129)]
    public async Task Signal_CancelsTheCommand_AndBecomesItsExitCode(string signal, int expected)
    {
        using var process = Start("work");
        await WaitForAsync(process, "a note that stays");
        await Shell.RunAsync(["kill", "-" + signal, $"{process.Id}"]);
        var rest = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(expected, process.ExitCode);
        Assert.Contains("Copying a disk: stopped in ", rest, StringComparison.Ordinal);
        Assert.EndsWith("gantry: interrupted\n", rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecondSignal_EndsACommandThatDoesNotListen()
    {
        using var process = Start("stubborn");
        await WaitForAsync(process, "Ignoring everybody");
        // Signals of one kind that are both pending become one: send until it is gone.
        while (!process.HasExited)
            await Shell.RunAsync(["sh", "-c", $"kill -INT {process.Id} 2>/dev/null; exit 0"]);
        Assert.Equal(130, process.ExitCode);
    }

    [Fact]
    public async Task TerminalThatIsClosed_DoesNotKeepACommandFromCleaningUp()
    {
        await TmuxAsync("new-session", "-d", "-x", "90", "-y", "20", $"GANTRY_HOME={_folder} exec {TestProgram} work");
        while (!(await TmuxAsync("capture-pane", "-p")).Contains("guest says hello", StringComparison.Ordinal))
            await Task.Yield();
        await TmuxAsync("kill-server");
        var clock = Stopwatch.StartNew();
        while (!File.Exists(Path.Combine(_folder, "cleaned")))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), "the command did not get to its end");
            await Task.Yield();
        }
    }

    [Fact]
    public async Task FullDisk_ForTheOutput_IsAnErrorInWords()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "gantry");
        var (code, _, error) = await Shell.RunAsync(["sh", "-c", $"'{program}' --help >/dev/full"]);
        Assert.Equal(ExitCodes.Failed, code);
        Assert.StartsWith("gantry: the output could not be written whole: No space left", error, StringComparison.Ordinal);
        (code, _, error) = await Shell.RunAsync(["sh", "-c", $"'{program}' nonsense 2>/dev/full"]);
        Assert.Equal((ExitCodes.Usage, ""), (code, error));
    }

    [Fact]
    public async Task LiveView_OnARealTerminal_SurvivesResizingAndCtrlC()
    {
        async Task<string> ScreenAsync(Func<string, bool> expected)
        {
            var clock = Stopwatch.StartNew();
            while (true)
            {
                var screen = await TmuxAsync("capture-pane", "-p");
                if (expected(screen))
                    return screen;
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), screen);
            }
        }

        // The shell stays when the program ends, so that the last screen can be read.
        await TmuxAsync("new-session", "-d", "-x", "90", "-y", "20", $"{TestProgram} work; echo code $?; cat");
        try
        {
            var screen = await ScreenAsync(text => text.Contains("Copying a disk", StringComparison.Ordinal)
                && text.Contains("guest says hello", StringComparison.Ordinal));
            Assert.Contains("✓ Warming up", screen, StringComparison.Ordinal);
            Assert.Contains("25%  30 MiB of 120 MiB", screen, StringComparison.Ordinal);

            await TmuxAsync("resize-window", "-x", "30", "-y", "20");
            screen = await ScreenAsync(text => text.Contains("25%  30 MiB", StringComparison.Ordinal)
                && !text.Contains("━━━━━━━━━━━━━", StringComparison.Ordinal));
            Assert.Equal(1, screen.Split("Copying a disk").Length - 1);

            await TmuxAsync("send-keys", "C-c");
            screen = await ScreenAsync(text => text.Contains("code 130", StringComparison.Ordinal));
            Assert.Contains("✗ Copying a disk", screen, StringComparison.Ordinal);
            Assert.Contains("gantry: interrupted", screen, StringComparison.Ordinal);
            Assert.DoesNotContain("guest says hello", screen, StringComparison.Ordinal);
            Assert.Equal("1", (await TmuxAsync("display-message", "-p", "#{cursor_flag}")).Trim());
        }
        finally
        {
            await TmuxAsync("kill-server");
        }
    }

    [Fact]
    public async Task RealProgram_WritesItsOverview_WithoutATerminal()
    {
        var (code, output, error) = await Shell.RunAsync([Path.Combine(AppContext.BaseDirectory, "gantry"), "--help"]);
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("Gantry: ", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', output);
    }

    [Fact]
    public async Task UnexpectedException_LeavesAReportInTheStateFolder()
    {
        var (code, _, error) = await Shell.RunAsync([TestProgram, "break", "hunter2"], ("GANTRY_HOME", _folder));
        Assert.Equal(ExitCodes.Bug, code);
        Assert.Contains("InvalidOperationException: the wheels came off", error, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Path.Combine(_folder, "crashes")));
    }

    private async Task<string> TmuxAsync(params string[] words)
    {
        var (code, output, error) = await Shell.RunAsync(
            ["tmux", "-f", "/dev/null", "-S", Path.Combine(_folder, "tmux"), .. words],
            ("TERM", "xterm"), ("LC_ALL", "C.UTF-8"), ("TMUX", null));
        return code == 0 ? output : throw new InvalidOperationException(error);
    }

    private static Process Start(string command) => Process.Start(new ProcessStartInfo(TestProgram, [command])
    {
        RedirectStandardError = true,
        RedirectStandardOutput = true,
        RedirectStandardInput = true,
    })!;

    private static async Task WaitForAsync(Process process, string text)
    {
        while (await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
                return;
        }

        Assert.Fail($"the program ended before it wrote '{text}'");
    }
}
