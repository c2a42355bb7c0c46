using Gantry.Engines;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Run;

/// <summary>Hears of one run of a machine until it ends: of its pauses, and why it ended.</summary>
public sealed class RunWatch : IAsyncDisposable
{
    private static readonly TimeSpan LookForEnd = TimeSpan.FromMilliseconds(250);

    private readonly IMachineGuest? _guest;
    private readonly Action _onPhase;
    private readonly Func<bool> _isAlive;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _done = new();

    /// <param name="guest">
    /// A connection of its own; null where there is none to be had: somebody else listens, or the machine is from
    /// before there was anything to listen to.
    /// </param>
    /// <param name="onPhase">Called when guest code was halted or goes on.</param>
    /// <param name="isAlive">Whether the run lasts, for when there is no connection.</param>
    /// <param name="time">The clock.</param>
    internal RunWatch(IMachineGuest? guest, Action onPhase, Func<bool> isAlive, TimeProvider time)
    {
        _guest = guest;
        _onPhase = onPhase;
        _isAlive = isAlive;
        _time = time;
        if (guest is not null)
            guest.PhaseChanged += onPhase;
        End = FollowAsync(_done.Token);
    }

    /// <summary>Completes when the run has ended, with the reason as far as it was heard.</summary>
    public Task<GuestExit> End { get; }

    /// <summary>What can be seen of the machine; null where there is no connection to ask over.</summary>
    /// <exception cref="ProblemException">The machine does not answer.</exception>
    public async Task<MachinePhase?> PhaseAsync(CancellationToken cancellationToken)
    {
        if (_guest is null)
            return null;
        var phase = await _guest.PhaseAsync(cancellationToken).ConfigureAwait(false);
        // The guest is off, and its process is about to follow.
        return phase == MachinePhase.Stopped ? MachinePhase.Stopping : phase;
    }

    /// <summary>Stops listening; the machine runs on.</summary>
    public async ValueTask DisposeAsync()
    {
        await _done.CancelAsync().ConfigureAwait(false);
        await ((Task)End).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_guest is not null)
        {
            _guest.PhaseChanged -= _onPhase;
            await _guest.DisposeAsync().ConfigureAwait(false);
        }

        _done.Dispose();
    }

    private async Task<GuestExit> FollowAsync(CancellationToken cancellationToken)
    {
        if (_guest is not null)
            return await _guest.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        while (_isAlive())
            await Task.Delay(LookForEnd, _time, cancellationToken).ConfigureAwait(false);
        return new GuestExit("unknown");
    }
}
