using System.Text.RegularExpressions;
using Gantry.Engines.Keyboard;
using Gantry.Engines.Screen;

namespace Gantry.Imaging.BootCommand;

/// <summary>Carries out a boot command at a machine's keyboard, looking at its screen and its serial line.</summary>
/// <param name="serial">What the serial line said; null where the machine has none.</param>
public sealed class Typist(
    IKeyboard keyboard, IScreenReader screen, SerialTranscript? serial, TypistOptions? options = null)
{
    private const int SerialTailCharacters = 2000;

    private readonly TypistOptions _options = options ?? new TypistOptions();
    private ScreenText? _seen;

    /// <summary>
    /// Does every action in order. Keys that are still held at the end, or on failure, are released.
    /// </summary>
    /// <exception cref="BootWaitException">Something waited for did not come.</exception>
    /// <exception cref="KeyboardException">The machine ended or does not read its keyboard.</exception>
    public async Task RunAsync(BootCommandScript script, CancellationToken cancellationToken)
    {
        if (script.HasErrors)
            throw new ArgumentException($"this boot command has errors: {script.Diagnostics[0]}", nameof(script));
        try
        {
            for (var i = 0; i < script.Actions.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var report = Reporter(script.Actions[i], i + 1, script.Actions.Length);
                report(false);
                await DoAsync(script.Actions[i], report, cancellationToken).ConfigureAwait(false);
                report(true);
            }
        }
        finally
        {
            await keyboard.ReleaseAllAsync().ConfigureAwait(false);
        }
    }

    private Action<bool> Reporter(BootAction action, int number, int count)
    {
        var start = _options.Clock.GetTimestamp();
        var begins = true;
        return finished =>
        {
            _options.Progress?.Invoke(new TypingProgress
            {
                Action = action,
                Number = number,
                Count = count,
                Elapsed = _options.Clock.GetElapsedTime(start),
                Begins = begins,
                Finished = finished,
                Screen = _seen,
            });
            begins = false;
        };
    }

    private async Task DoAsync(BootAction action, Action<bool> report, CancellationToken cancellationToken)
    {
        switch (action)
        {
            case BootAction.Type type:
                foreach (var stroke in type.Strokes)
                    await keyboard.PressAsync(stroke, cancellationToken).ConfigureAwait(false);
                await PauseAsync(_options.GroupInterval, cancellationToken).ConfigureAwait(false);
                break;
            case BootAction.Press press:
                await keyboard.PressAsync(new KeyStroke(press.Key), cancellationToken).ConfigureAwait(false);
                await PauseAsync(_options.GroupInterval, cancellationToken).ConfigureAwait(false);
                break;
            case BootAction.Hold hold:
                foreach (var key in hold.Keys)
                    await keyboard.SendAsync(new KeyEvent(key, true), cancellationToken).ConfigureAwait(false);
                break;
            case BootAction.Release release:
                foreach (var key in release.Keys)
                    await keyboard.SendAsync(new KeyEvent(key, false), cancellationToken).ConfigureAwait(false);
                break;
            case BootAction.Wait wait:
                await PauseAsync(wait.Time, cancellationToken).ConfigureAwait(false);
                break;
            case BootAction.WaitForScreen wait:
                await WaitForScreenAsync(wait, report, cancellationToken).ConfigureAwait(false);
                break;
            case BootAction.WaitForSerial wait:
                await WaitForSerialAsync(wait, cancellationToken).ConfigureAwait(false);
                break;
            default:
                throw new InvalidOperationException($"unknown action {action.GetType().Name}");
        }
    }

    private async Task WaitForScreenAsync(
        BootAction.WaitForScreen wait, Action<bool> report, CancellationToken cancellationToken)
    {
        var start = _options.Clock.GetTimestamp();
        while (true)
        {
            _seen = await screen.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (_seen.Contains(wait.Text))
                return;
            report(false);
            var left = wait.Timeout - _options.Clock.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
                throw new BootWaitException(wait, wait.Timeout, _seen, null);
            await PauseAsync(left < _options.LookInterval ? left : _options.LookInterval, cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private async Task WaitForSerialAsync(BootAction.WaitForSerial wait, CancellationToken cancellationToken)
    {
        if (serial is null)
            throw new InvalidOperationException($"boot_command, {wait.At}: this machine has no serial line to wait for");
        var pattern = new Regex(
            wait.Pattern, RegexOptions.CultureInvariant | RegexOptions.Multiline, _options.MatchTimeout);
        using var timer = new CancellationTokenSource(wait.Timeout, _options.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            await serial.WaitForAsync(pattern, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _seen = await screen.ReadAsync(cancellationToken).ConfigureAwait(false);
            var said = serial.Text;
            var tail = said.Length <= SerialTailCharacters ? said : said[^SerialTailCharacters..];
            throw new BootWaitException(wait, wait.Timeout, _seen, tail.Trim());
        }
    }

    private Task PauseAsync(TimeSpan time, CancellationToken cancellationToken) =>
        time > TimeSpan.Zero ? Task.Delay(time, _options.Clock, cancellationToken) : Task.CompletedTask;
}
