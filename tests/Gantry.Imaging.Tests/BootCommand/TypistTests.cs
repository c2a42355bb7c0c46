using Gantry.Engines.Keyboard;
using Gantry.Engines.Screen;
using Gantry.Imaging.BootCommand;

namespace Gantry.Imaging.Tests.BootCommand;

public sealed class TypistTests
{
    private readonly Desk _desk = new();

    [Fact]
    public async Task Run_Script_PressesInOrderAndReleasesAtTheEnd()
    {
        await RunAsync("Ab<enter><leftAltOn>x");
        Assert.Equal(["Shift+a", "b", "ret", "down alt", "x", "release all"], _desk.Log);
    }

    [Fact]
    public async Task Run_WaitForScreen_TypesOnlyWhenTheTextIsThere()
    {
        _desk.Screens = new Queue<string>(["", "boot", "boot: "]);
        await RunAsync("<waitFor 'boot:' 5s>a");
        Assert.Equal(["look", "look", "look", "a", "release all"], _desk.Log);
    }

    [Fact]
    public async Task Run_WaitForScreenInVain_SaysWhatWasExpectedAndWhatIsShown()
    {
        _desk.Screens = new Queue<string>(["grub rescue>"]);
        var e = await Assert.ThrowsAsync<BootWaitException>(() => RunAsync("ab", "c<waitFor 'login:' 20ms>"));
        Assert.Equal(
            "boot_command, string 2, column 2: gave up waiting for 'login:' on the screen after 0 s. " +
            "The screen shows:\n  | grub rescue>", e.Message);
        Assert.Equal("grub rescue>", e.Screen!.ToString());
        Assert.Equal("release all", _desk.Log[^1]);
    }

    [Fact]
    public async Task Run_WaitForSerialInVain_ShowsTheSerialLineAndTheScreen()
    {
        _desk.Screens = new Queue<string>(["on screen"]);
        _desk.Serial.Append("Kernel panic - not syncing\r\n"u8);
        var e = await Assert.ThrowsAsync<BootWaitException>(() => RunAsync("<waitForSerial 'login:' 20ms>"));
        Assert.Contains("  | Kernel panic - not syncing\nThe screen shows:\n  | on screen", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_WaitForSerial_GoesOnWhenItMatches()
    {
        var running = RunAsync("<waitForSerial '^login:' 30s>root");
        Assert.Empty(_desk.Log);
        _desk.Serial.Append("motd\r\nlogin: "u8);
        await running;
        Assert.Equal(["r", "o", "o", "t", "release all"], _desk.Log);
    }

    [Fact]
    public async Task Run_EachAction_ReportsBeginningAndEnd()
    {
        var seen = new List<string>();
        _desk.Screens = new Queue<string>(["no", "yes"]);
        await RunAsync(
            ["hi<waitFor 'yes' 5s>"],
            p => seen.Add($"{p.Number}/{p.Count} {p.Description} {(p.Begins ? "begin" : p.Finished ? "done" : "…")} {p.Screen}"),
            CancellationToken.None);
        Assert.Equal(
            [
                "1/2 typing 'hi' begin ", "1/2 typing 'hi' done ",
                "2/2 waiting for 'yes' on the screen begin ",
                "2/2 waiting for 'yes' on the screen … no",
                "2/2 waiting for 'yes' on the screen done yes",
            ],
            seen);
    }

    [Fact]
    public async Task Run_ScriptWithErrors_IsRefused()
    {
        var e = await Assert.ThrowsAsync<ArgumentException>(() => RunAsync("ü"));
        Assert.Contains("column 1", e.Message, StringComparison.Ordinal);
        Assert.Empty(_desk.Log);
    }

    [Fact]
    public async Task Run_Cancelled_ReleasesKeys()
    {
        using var source = new CancellationTokenSource();
        _desk.Pressed = source.Cancel;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunAsync(["a<enter>b"], null, source.Token));
        Assert.Equal(["a", "release all"], _desk.Log);
    }

    private Task RunAsync(params string[] command) => RunAsync(command, null, CancellationToken.None);

    private Task RunAsync(string[] command, Action<TypingProgress>? progress, CancellationToken token) =>
        new Typist(_desk, _desk, _desk.Serial, new TypistOptions
        {
            LookInterval = TimeSpan.FromMilliseconds(1),
            Progress = progress,
        }).RunAsync(BootCommandScript.Parse(command, new TemplateScope()), token);

    /// <summary>A keyboard and a screen that write down what happens; the last screen stays.</summary>
    private sealed class Desk : IKeyboard, IScreenReader
    {
        public List<string> Log { get; } = [];

        public Queue<string> Screens { get; set; } = new([""]);

        public SerialTranscript Serial { get; } = new();

        public Action Pressed { get; set; } = () => { };

        public Task PressAsync(KeyStroke stroke, CancellationToken cancellationToken)
        {
            Log.Add(stroke.Modifiers == KeyModifiers.None ? stroke.Key : $"{stroke.Modifiers}+{stroke.Key}");
            Pressed();
            return Task.CompletedTask;
        }

        public Task SendAsync(KeyEvent next, CancellationToken cancellationToken)
        {
            Log.Add($"{(next.Down ? "down" : "up")} {next.Key}");
            return Task.CompletedTask;
        }

        public Task ReleaseAllAsync()
        {
            Log.Add("release all");
            return Task.CompletedTask;
        }

        public Task<ScreenText> ReadAsync(CancellationToken cancellationToken)
        {
            Log.Add("look");
            var text = Screens.Count > 1 ? Screens.Dequeue() : Screens.Peek();
            return Task.FromResult(new ScreenText([.. text.Split('\n')], ScreenSource.Glyphs, 0, 0));
        }

        public Task<byte[]> ScreenshotAsync(CancellationToken cancellationToken) => Task.FromResult<byte[]>([]);
    }
}
