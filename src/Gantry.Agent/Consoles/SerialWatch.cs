using Gantry.Model.Nodes;

namespace Gantry.Agent.Consoles;

/// <summary>One watcher of a serial line.</summary>
internal sealed class SerialWatch(
    SerialLine line, ConsoleRequest.Serial request, Func<ValueTask> onLeave) : IConsoleChannel
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private long _place = line.Said.Place(request.ScrollBack);
    private int _left;

    public async ValueTask<ConsoleFrame> ReceiveAsync(CancellationToken cancellationToken)
    {
        var (count, end) = await line.Said.ReadAsync(_place, _buffer, cancellationToken).ConfigureAwait(false);
        if (end is not null)
            return new ConsoleFrame.Ended(end);
        _place += count;
        return new ConsoleFrame.Data(_buffer.AsMemory(0, count));
    }

    public ValueTask SendAsync(ConsoleFrame frame, CancellationToken cancellationToken) =>
        frame is ConsoleFrame.Data data && !request.ReadOnly
            ? line.TypeAsync(data.Bytes, cancellationToken) : ValueTask.CompletedTask;

    public ValueTask DisposeAsync() =>
        Interlocked.Exchange(ref _left, 1) == 0 ? onLeave() : ValueTask.CompletedTask;
}
