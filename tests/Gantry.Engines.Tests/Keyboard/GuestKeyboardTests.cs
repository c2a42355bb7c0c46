using Gantry.Engines.Keyboard;

namespace Gantry.Engines.Tests.Keyboard;

public sealed class GuestKeyboardTests
{
    private readonly FakePc _pc = new();

    [Fact]
    public async Task Type_GuestThatReadsRarely_LosesNothing()
    {
        var looks = 0;
        _pc.OnStatus = () =>
        {
            if (++looks % 3 == 0)
                _pc.Interrupt();
        };
        using var keyboard = await OpenAsync();
        await keyboard.TypeAsync("ab", KeyboardLayout.Us, CancellationToken.None);
        _pc.Interrupt();
        Assert.Equal(["+a", "-a", "+b", "-b"], _pc.Read);
        Assert.Empty(_pc.Lost);
        Assert.Equal(4, keyboard.Sent);
    }

    [Fact]
    public async Task Type_BootLoaderOnBios_WaitsForTheRingToBeEmpty()
    {
        var looks = 0;
        _pc.Bios = true;
        _pc.OnStatus = () =>
        {
            _pc.Interrupt();
            if (++looks % 5 == 0)
                _pc.Int16();
        };
        using var keyboard = await OpenAsync();
        var text = new string('x', 60);
        await keyboard.TypeAsync(text, KeyboardLayout.Us, CancellationToken.None);
        _pc.Interrupt();
        _pc.Int16();
        Assert.Equal(60, _pc.Read.Count);
        Assert.Empty(_pc.Lost);
    }

    [Fact]
    public async Task Type_SystemThatLeftAKeyInTheRing_IsNotHeldUp()
    {
        _pc.LeaveKeyInRing();
        _pc.Paging = true;
        _pc.OnStatus = _pc.Interrupt;
        using var keyboard = await OpenAsync();
        await keyboard.TypeAsync("ab", KeyboardLayout.Us, CancellationToken.None);
        _pc.Interrupt();
        Assert.Equal(4, _pc.Read.Count);
    }

    [Fact]
    public async Task Send_StoppedJustBefore_SendsAgainAfterResume()
    {
        _pc.OnStatus = () =>
        {
            if (_pc.Monitor.Commands.Contains("input-send-event") || !_pc.Running)
                return;
            _pc.Running = false;
            _pc.Monitor.Raise("STOP");
        };
        _pc.Monitor.Answered = command =>
        {
            if (command != "query-status" || _pc.Running)
                return;
            _pc.Running = true;
            _pc.Monitor.Raise("RESUME");
        };
        using var keyboard = await OpenAsync();
        await keyboard.SendAsync(new KeyEvent("a", true), CancellationToken.None);
        _pc.Interrupt();
        Assert.Equal(["+a"], _pc.Read);
        Assert.Equal(["+a"], _pc.Lost);
    }

    [Fact]
    public async Task Send_StoppedJustAfter_DoesNotSendTwice()
    {
        _pc.Monitor.Answered = command =>
        {
            if (command != "input-send-event")
                return;
            _pc.Monitor.Raise("STOP");
            _pc.Monitor.Raise("RESUME");
        };
        using var keyboard = await OpenAsync();
        await keyboard.SendAsync(new KeyEvent("a", true), CancellationToken.None);
        _pc.Interrupt();
        _pc.Interrupt();
        Assert.Equal(["+a"], _pc.Read);
    }

    [Fact]
    public async Task Send_PausedMachine_WaitsAndSaysSo()
    {
        var notices = new List<string>();
        using var keyboard = await GuestKeyboard.OpenAsync(
            _pc.Monitor, new GuestKeyboardOptions { Notice = notices.Add });
        _pc.Running = false;
        var sending = keyboard.SendAsync(new KeyEvent("a", true), CancellationToken.None);
        Assert.False(sending.IsCompleted);
        Assert.DoesNotContain("input-send-event", _pc.Monitor.Commands);
        _pc.Running = true;
        _pc.Monitor.Raise("RESUME");
        await sending;
        Assert.Contains("'paused'", Assert.Single(notices), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_GuestNeverReads_GivesUpWithTheTime()
    {
        using var keyboard = await GuestKeyboard.OpenAsync(
            _pc.Monitor, new GuestKeyboardOptions { StallTimeout = TimeSpan.FromMilliseconds(30) });
        await keyboard.SendAsync(new KeyEvent("a", true), CancellationToken.None);
        var e = await Assert.ThrowsAsync<KeyboardException>(
            () => keyboard.SendAsync(new KeyEvent("a", false), CancellationToken.None));
        Assert.Contains("has not read its keyboard", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Press_FailsHalfway_ReleasesWhatItPressed()
    {
        using var keyboard = await GuestKeyboard.OpenAsync(
            _pc.Monitor, new GuestKeyboardOptions { StallTimeout = TimeSpan.FromMilliseconds(30) });
        await Assert.ThrowsAsync<KeyboardException>(
            () => keyboard.PressAsync(new KeyStroke("a", KeyModifiers.Shift), CancellationToken.None));
        Assert.Empty(keyboard.Held);
        _pc.Interrupt();
        _pc.Interrupt();
        Assert.Equal(["+shift", "-shift"], _pc.Read);
    }

    [Fact]
    public async Task Press_ModifierHeldAlready_IsNeitherPressedNorReleased()
    {
        _pc.OnStatus = _pc.Interrupt;
        using var keyboard = await OpenAsync();
        await keyboard.SendAsync(new KeyEvent("shift_r", true), CancellationToken.None);
        await keyboard.PressAsync(new KeyStroke("a", KeyModifiers.Shift), CancellationToken.None);
        _pc.Interrupt();
        Assert.Equal(["+shift_r", "+a", "-a"], _pc.Read);
        Assert.Equal(["shift_r"], keyboard.Held);
    }

    [Fact]
    public async Task Send_UnknownKey_IsRefused()
    {
        using var keyboard = await OpenAsync();
        await Assert.ThrowsAsync<ArgumentException>(
            () => keyboard.SendAsync(new KeyEvent("enter", true), CancellationToken.None));
    }

    [Fact]
    public void Interval_SlowAnswersThenQuickOnes_GrowsAtOnceAndShrinksSlowly()
    {
        var pacer = new IntervalPacer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        Assert.Equal(20, pacer.Interval.TotalMilliseconds);
        pacer.Sent(TimeSpan.FromMilliseconds(30));
        Assert.Equal(240, pacer.Interval.TotalMilliseconds);
        pacer.Sent(TimeSpan.FromMilliseconds(0));
        Assert.InRange(pacer.Interval.TotalMilliseconds, 150, 239);
        for (var i = 0; i < 40; i++)
            pacer.Sent(TimeSpan.FromMilliseconds(0.5));
        Assert.Equal(20, pacer.Interval.TotalMilliseconds);
    }

    private Task<GuestKeyboard> OpenAsync() => GuestKeyboard.OpenAsync(_pc.Monitor);
}
