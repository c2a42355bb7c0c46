using CsCheck;
using Gantry.App.Hosting;
using Gantry.App.Output;
using Gantry.App.Progress;
using Gantry.App.Tests.Fakes;

namespace Gantry.App.Tests.Progress;

public sealed class LiveProgressViewTests : IDisposable
{
    private static readonly TextStyle Ascii = new() { Color = false, Unicode = false, Redraw = true };
    private readonly ManualTime _time = new();
    private readonly Screen _screen = new();
    private readonly LiveProgressView _view;

    public LiveProgressViewTests() => _view = new LiveProgressView(_screen, Ascii, _time);

    public void Dispose()
    {
        _view.Dispose();
        _screen.Dispose();
    }

    [Fact]
    public void Activity_WithAmountAndGuestLine_TakesThreeLines()
    {
        _view.Activity("Copying a disk");
        _view.Amount(0, 100 << 20, "bytes");
        _time.Advance(TimeSpan.FromSeconds(1));
        _view.Amount(50 << 20, 100 << 20, "bytes");
        _view.GuestLine("\e[32m[  OK  ]\e[0m Started ssh.service\r\n");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(
            """
            | Copying a disk  2.0 s
              [##############---------------]  50%  50 MiB of 100 MiB, 25 MiB/s, 2.0 s left
              | [  OK  ] Started ssh.service
            """,
            _screen.Text);
        Assert.True(_screen.CursorHidden);
    }

    [Fact]
    public void NextActivity_LeavesALineForTheOneBefore_AndForgetsItsAmount()
    {
        _view.Activity("One");
        _view.Amount(1, 2, "files");
        _time.Advance(TimeSpan.FromSeconds(3));
        _view.Activity("Two");
        Assert.Equal("+ One  3.0 s\n- Two  0.0 s", _screen.Text);
    }

    [Theory]
    [InlineData(true, "+ One  0.5 s")]
    [InlineData(false, "! One  0.5 s")]
    public void Dispose_LeavesTheLastActivityAsItEnded_AndTheCursorShown(bool complete, string expected)
    {
        _view.Activity("One");
        _time.Advance(TimeSpan.FromSeconds(0.5));
        if (complete)
            _view.Complete();
        _view.Dispose();
        Assert.Equal(expected, _screen.Text);
        Assert.False(_screen.CursorHidden);
    }

    [Fact]
    public void Note_ScrollsAwayAboveTheActivity()
    {
        _view.Activity("One");
        _view.Note("KVM can't be used here\nso this will be slow");
        Assert.Equal("KVM can't be used here\nso this will be slow\n| One  0.0 s", _screen.Text);
    }

    [Fact]
    public void Suspend_LeavesTheScreenToOthers_UntilDisposed()
    {
        _view.Activity("One");
        using (_view.Suspend())
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _screen.Write("Really? y\n");
            Assert.Equal("Really? y", _screen.Text);
            Assert.False(_screen.CursorHidden);
        }

        Assert.Equal("Really? y\n/ One  1.0 s", _screen.Text.Replace("- One", "/ One", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(40)]
    [InlineData(17)]
    [InlineData(5)]
    public void NarrowedTerminal_KeepsNothingOfTheOldFrame(int columns)
    {
        _view.Note("before");
        _view.Activity("Installing a whole operating system on a disk");
        _view.Amount(1, 3, "files");
        _view.GuestLine("a rather long line of the guest's own output, longer than the terminal will be");
        _time.Advance(TimeSpan.FromSeconds(1));
        _screen.Resize(columns);
        _time.Advance(TimeSpan.FromSeconds(1));
        _view.Complete();
        _view.Dispose();
        var lines = _screen.Text.Split('\n');
        Assert.Equal("before"[..Math.Min(columns, 6)], lines[0]);
        // What is left is the note, perhaps broken, and one line for the activity.
        Assert.Equal((6 + columns - 1) / columns + 1, lines.Length);
        Assert.StartsWith("+ ", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Frame_OfAnything_FitsTheTerminal()
    {
        var states = Gen.Select(
            Gen.String, Gen.Long[0, long.MaxValue], Gen.Long[-1, long.MaxValue], Gen.String, Gen.Int[0, 2],
            Gen.Int[0, 10_000_000]);
        Gen.Select(states, Gen.Int[1, 120], Gen.Bool, Gen.Bool).Sample((parts, width, unicode, color) =>
        {
            var (what, done, total, guest, unit, seconds) = parts;
            var state = new ProgressState
            {
                Activity = DisplayText.Clean(what),
                Elapsed = TimeSpan.FromSeconds(seconds),
                Done = done,
                Total = total < 0 ? null : total,
                Unit = unit switch { 0 => "bytes", 1 => "files", _ => "percent" },
                Rate = 0.001,
                GuestLine = DisplayText.Clean(guest),
            };
            var style = new TextStyle { Color = color, Unicode = unicode, Redraw = true };
            return LiveFrame.Render(state, width, 3, style).All(line =>
                line.Width <= Math.Max(1, width - 1)
                && line.Width == DisplayText.Width(line.Text.Replace("\e[1m", "", StringComparison.Ordinal)
                    .Replace("\e[2m", "", StringComparison.Ordinal).Replace("\e[0m", "", StringComparison.Ordinal)));
        });
    }

    [Fact]
    public void Rate_OfAStalledDownload_Falls_AndOfARestartedOneBeginsAnew()
    {
        var meter = new RateMeter();
        Assert.Null(meter.Rate(TimeSpan.Zero));
        for (var second = 0; second <= 10; second++)
            meter.Add(TimeSpan.FromSeconds(second), second * 100);
        Assert.Equal(100, meter.Rate(TimeSpan.FromSeconds(10))!.Value, 5);
        Assert.InRange(meter.Rate(TimeSpan.FromSeconds(20))!.Value, 1, 50);
        meter.Add(TimeSpan.FromSeconds(21), 0);
        Assert.Null(meter.Rate(TimeSpan.FromSeconds(21)));
    }
}
