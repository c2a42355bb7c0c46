using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Gantry.Model;
using Gantry.Model.Nodes;

namespace Gantry.Control.Tests.Consoles;

/// <summary>A node whose machines are as a test says.</summary>
internal sealed class FakeNode : INodeService
{
    /// <summary>What is in the way of everything.</summary>
    public Problem? Problem { get; set; }

    /// <summary>What is in the way of opening a console.</summary>
    public Exception? OpenFails { get; set; }

    public List<(MachineKey Machine, ConsoleRequest Request)> Opened { get; } = [];

    /// <summary>The console that was opened last.</summary>
    public FakeChannel Channel { get; private set; } = new();

    public List<string> Typed { get; } = [];

    /// <summary>More of a log that is followed; completing it ends the machine.</summary>
    public Channel<string> More { get; } = System.Threading.Channels.Channel.CreateUnbounded<string>();

    public LogRequest? LogRequest { get; private set; }

    public Task CheckAsync(MachineKey machine, ConsoleRequest request, CancellationToken cancellationToken)
    {
        Check();
        return Task.CompletedTask;
    }

    public Task<IConsoleChannel> OpenAsync(
        MachineKey machine, ConsoleRequest request, CancellationToken cancellationToken)
    {
        if (OpenFails is not null)
            throw OpenFails;
        Opened.Add((machine, request));
        Channel = new FakeChannel();
        return Task.FromResult<IConsoleChannel>(Channel);
    }

    public Task<ReadOnlyMemory<byte>> ScreenshotAsync(MachineKey machine, CancellationToken cancellationToken)
    {
        Check();
        return Task.FromResult<ReadOnlyMemory<byte>>("picture"u8.ToArray());
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadLogAsync(
        MachineKey machine, LogRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LogRequest = request;
        Check();
        yield return "first\n"u8.ToArray();
        if (!request.Follow)
            yield break;
        await foreach (var piece in More.Reader.ReadAllAsync(cancellationToken))
            yield return Encoding.UTF8.GetBytes(piece);
    }

    public Task TypeAsync(MachineKey machine, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        Check();
        Typed.AddRange(keys);
        return Task.CompletedTask;
    }

    private void Check()
    {
        if (Problem is not null)
            throw new ProblemException(Problem);
    }
}

/// <summary>A console whose machine's side is the test.</summary>
internal sealed class FakeChannel : IConsoleChannel
{
    private readonly TaskCompletionSource _hungUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ConsoleFrame? _last;

    public Channel<ConsoleFrame> FromMachine { get; } = Channel.CreateUnbounded<ConsoleFrame>();

    public Channel<ConsoleFrame> ToMachine { get; } = Channel.CreateUnbounded<ConsoleFrame>();

    public Task HungUp => _hungUp.Task.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);

    public void Say(string text) => FromMachine.Writer.TryWrite(new ConsoleFrame.Data(Encoding.UTF8.GetBytes(text)));

    public void End(ConsoleEnd end) => FromMachine.Writer.TryWrite(new ConsoleFrame.Ended(end));

    /// <summary>What was typed, up to and with a text at its end.</summary>
    public async Task<string> TypedAsync(string end, CancellationToken cancellationToken)
    {
        var typed = "";
        while (!typed.EndsWith(end, StringComparison.Ordinal))
        {
            var data = Assert.IsType<ConsoleFrame.Data>(await ToMachine.Reader.ReadAsync(cancellationToken));
            typed += Encoding.UTF8.GetString(data.Bytes.Span);
        }

        return typed;
    }

    public async ValueTask<ConsoleFrame> ReceiveAsync(CancellationToken cancellationToken)
    {
        if (_last is ConsoleFrame.Ended)
            return _last;
        return _last = await FromMachine.Reader.ReadAsync(cancellationToken);
    }

    public ValueTask SendAsync(ConsoleFrame frame, CancellationToken cancellationToken)
    {
        // The bytes are the caller's again after this.
        ToMachine.Writer.TryWrite(frame is ConsoleFrame.Data data ? new ConsoleFrame.Data(data.Bytes.ToArray()) : frame);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _hungUp.TrySetResult();
        return ValueTask.CompletedTask;
    }
}
