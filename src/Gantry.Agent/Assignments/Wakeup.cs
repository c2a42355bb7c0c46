using System.Threading.Channels;

namespace Gantry.Agent.Assignments;

/// <summary>Wakes one waiter; rung several times before it waits, it wakes once.</summary>
internal sealed class Wakeup
{
    private readonly Channel<bool> _rings = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Ring() => _rings.Writer.TryWrite(true);

    public async Task WaitAsync(CancellationToken cancellationToken) =>
        await _rings.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
}
