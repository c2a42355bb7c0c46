using System.Text;
using Gantry.Agent.Consoles;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Nodes;

namespace Gantry.Agent.Tests.Consoles;

public sealed class SerialBrokerTests : IAsyncDisposable
{
    private const int Most = ConsoleRequest.Serial.MostScrollBack;

    private static readonly MachineKey Web = new(new MachineNumber(100), new Guid(100, 0, 0, new byte[8]));

    private readonly FakeSerialPort _port = new();
    private readonly SerialBroker _broker = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        _port.Dispose();
    }

    [Fact]
    public async Task Watchers_OfOneLine_AllSeeWhatIsSaid_AndAllMayType()
    {
        await using var one = await WatchAsync();
        await using var two = await WatchAsync();
        await SayAsync("login: ");
        Assert.Equal("login: ", await SeeAsync(one, "login: "));
        Assert.Equal("login: ", await SeeAsync(two, "login: "));
        Assert.Equal(1, _port.Connections);

        await TypeAsync(one, "ro");
        Assert.Equal("ro"u8.ToArray(), await _port.TypedAsync(2));
        await TypeAsync(two, "ot\r");
        Assert.Equal("ot\r"u8.ToArray(), await _port.TypedAsync(3));
    }

    [Fact]
    public async Task Watcher_ThatMayOnlyRead_TypesNothing()
    {
        await using var reader = await WatchAsync(new ConsoleRequest.Serial { ReadOnly = true });
        await using var writer = await WatchAsync();
        await TypeAsync(reader, "rm -rf /\r");
        await TypeAsync(writer, "ok");
        Assert.Equal("ok"u8.ToArray(), await _port.TypedAsync(2));
    }

    [Fact]
    public async Task FirstWatcher_GetsWhatTheLogHas_AndWhatIsSaidMeanwhileOnce()
    {
        await SayAsync("booting\n");
        _port.SaidMeanwhile = "starting\n"u8.ToArray();
        await using var watch = await WatchAsync();
        await SayAsync("login: ");
        Assert.Equal("booting\nstarting\nlogin: ", await SeeAsync(watch, "login: "));
    }

    [Fact]
    public async Task LaterWatcher_GetsAtMostWhatItAskedFor_FromTheBeginningOfALine()
    {
        await using var first = await WatchAsync();
        await SayAsync("one\ntwo\nthree\n");
        await SeeAsync(first, "three\n");
        await using var later = await WatchAsync(new ConsoleRequest.Serial { ScrollBack = 8 });
        await using var none = await WatchAsync(new ConsoleRequest.Serial { ScrollBack = 0 });
        await SayAsync("$");
        Assert.Equal("three\n$", await SeeAsync(later, "$"));
        Assert.Equal("$", await SeeAsync(none, "$"));
    }

    [Fact]
    public async Task ScrollBack_OfALongRun_IsItsEnd()
    {
        var line = Encoding.ASCII.GetBytes(new string('x', 99) + "\n");
        await using var first = await WatchAsync();
        for (var i = 0; i < 2 * Most / line.Length; i++)
        {
            await _port.SayAsync(line);
            await TakeAsync(first);
        }

        await using var later = await WatchAsync();
        await SayAsync("$");
        var seen = await SeeAsync(later, "$");
        Assert.InRange(seen.Length, Most - line.Length, Most + 1);
        Assert.StartsWith("xxx", seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SlowWatcher_IsDroppedWithTheReason_AndStallsNobody()
    {
        await using var slow = await WatchAsync();
        await using var quick = await WatchAsync();
        var piece = new byte[32 * 1024];
        for (var said = 0; said <= 3 * Most; said += piece.Length)
        {
            await _port.SayAsync(piece).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Token);
            for (var seen = 0; seen < piece.Length;)
                seen += (await TakeAsync(quick)).Length;
        }

        Assert.Equal(new ConsoleEnd.TooSlow(), await EndAsync(slow));
        await SayAsync("login: ");
        Assert.Equal("login: ", Encoding.ASCII.GetString(await TakeAsync(quick)));
    }

    [Fact]
    public async Task QemuThatEnds_EndsTheWatchers_AndTheNextRunIsAnother()
    {
        await using var old = await WatchAsync();
        await SayAsync("old run\n");
        _port.Restart();
        Assert.Equal("old run\n", await SeeAsync(old, "\n"));
        Assert.Equal(new ConsoleEnd.MachineStopped(), await EndAsync(old));
        Assert.Equal(new ConsoleEnd.MachineStopped(), await EndAsync(old));
        await TypeAsync(old, "anybody?");

        await using var next = await WatchAsync();
        await SayAsync("new run\n");
        Assert.Equal("new run\n", await SeeAsync(next, "\n"));
        Assert.Equal(2, _port.Connections);
        await old.DisposeAsync();
        await SayAsync("still\n");
        Assert.Equal("still\n", await SeeAsync(next, "\n"));
    }

    [Fact]
    public async Task LastWatcherThatLeaves_LeavesTheLineToOthers()
    {
        var one = await WatchAsync();
        var two = await WatchAsync();
        await one.DisposeAsync();
        Assert.True(_port.IsConnected);
        await two.DisposeAsync();
        await two.DisposeAsync();
        Assert.False(_port.IsConnected);
    }

    [Fact]
    public async Task Garbage_ComesAsItIs()
    {
        var garbage = Enumerable.Range(0, 4096).Select(i => (byte)(i * 7 % 256)).ToArray();
        await using var watch = await WatchAsync();
        await _port.SayAsync(garbage);
        var seen = new List<byte>();
        while (seen.Count < garbage.Length)
            seen.AddRange(await TakeAsync(watch));
        Assert.Equal(garbage, seen);
    }

    [Fact]
    public async Task Line_ThatCantBeHad_IsAProblemForEachWhoWants_AndTriedAnewByTheNext()
    {
        _port.Problem = new Problem { Kind = ProblemKind.Conflict, Summary = "somebody else is at the console" };
        await Assert.ThrowsAsync<ProblemException>(() => WatchAsync());
        await Assert.ThrowsAsync<ProblemException>(() => WatchAsync());
        _port.Problem = null;
        await using var watch = await WatchAsync();
        await SayAsync("$");
        Assert.Equal("$", await SeeAsync(watch, "$"));
    }

    [Fact]
    public async Task Broker_ThatEnds_TellsItsWatchersSo()
    {
        await using var watch = await WatchAsync();
        await SayAsync("$");
        await SeeAsync(watch, "$");
        await _broker.DisposeAsync();
        Assert.Equal(new ConsoleEnd.NodeEnds(), await EndAsync(watch));
        Assert.False(_port.IsConnected);
    }

    [Fact]
    public async Task Receive_ThatIsCancelled_LosesNothing()
    {
        await using var watch = await WatchAsync();
        using var stop = new CancellationTokenSource();
        var receiving = watch.ReceiveAsync(stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);
        await SayAsync("$");
        Assert.Equal("$", await SeeAsync(watch, "$"));
    }

    [Theory]
    [InlineData("", "abc", 0)]
    [InlineData("abc", "", 0)]
    [InlineData("xab", "abc", 2)]
    [InlineData("abc", "abc", 3)]
    [InlineData("abc", "bca", 2)]
    [InlineData("abc", "xyz", 0)]
    public void Overlap_IsTheMostThatOneEndsAndTheOtherBeginsWith(string before, string after, int length) =>
        Assert.Equal(length, SerialLine.Overlap(Encoding.ASCII.GetBytes(before), Encoding.ASCII.GetBytes(after)));

    private Task<IConsoleChannel> WatchAsync(ConsoleRequest.Serial? request = null) =>
        _broker.WatchAsync(Web, _port, request ?? new ConsoleRequest.Serial(), Token);

    private Task SayAsync(string text) => _port.SayAsync(Encoding.ASCII.GetBytes(text));

    private static ValueTask TypeAsync(IConsoleChannel watch, string text) =>
        watch.SendAsync(new ConsoleFrame.Data(Encoding.ASCII.GetBytes(text)), Token);

    private static async Task<byte[]> TakeAsync(IConsoleChannel watch)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        return Assert.IsType<ConsoleFrame.Data>(await watch.ReceiveAsync(limit.Token)).Bytes.ToArray();
    }

    /// <summary>What comes, up to and with a text at its end.</summary>
    private static async Task<string> SeeAsync(IConsoleChannel watch, string end)
    {
        var seen = "";
        while (!seen.EndsWith(end, StringComparison.Ordinal))
            seen += Encoding.ASCII.GetString(await TakeAsync(watch));
        return seen;
    }

    private static async Task<ConsoleEnd> EndAsync(IConsoleChannel watch) =>
        Assert.IsType<ConsoleFrame.Ended>(await watch.ReceiveAsync(Token)).End;
}
