using Gantry.Model;
using Gantry.Storage;

namespace Gantry.Machines.Guest;

/// <summary>
/// The input of a renewal: one <see cref="RenewalMessage"/>, made only once the guest's program waits for it. So
/// neither the connection nor the start of the program makes its time old.
/// </summary>
internal sealed class RenewalInput(IEntropy entropy, TimeProvider time) : ReadOnlyStream
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long? _madeAt;

    /// <summary>How long ago the message was made: the guest's clock is behind by no more than that.</summary>
    public TimeSpan Age => _madeAt is { } then ? time.GetElapsedTime(then) : TimeSpan.Zero;

    /// <summary>The program waits.</summary>
    public void Ready() => _ready.TrySetResult();

    /// <param name="buffer">Room for a whole message.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _ready.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_madeAt is not null)
            return 0;
        _madeAt = time.GetTimestamp();
        RenewalMessage.Now(entropy, time).CopyTo(buffer);
        return RenewalMessage.Length;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        // The program ended without a word; whoever still waits to read need not.
        _ready.TrySetCanceled();
        base.Dispose(disposing);
    }
}
