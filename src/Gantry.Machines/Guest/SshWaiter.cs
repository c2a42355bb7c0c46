using Gantry.Model;

namespace Gantry.Machines.Guest;

/// <summary>Waits for a guest that boots or installs until one can log in to it.</summary>
public static class SshWaiter
{
    /// <summary>
    /// Another host key does not become the right one; a few looks allow for a boot's early SSH server.
    /// </summary>
    private const int MaxWrongHostKeys = 8;

    private static readonly TimeSpan QuickPause = TimeSpan.FromMilliseconds(200);

    /// <summary>A login refused again and again may get the host's address blocked in the guest.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Listens until the guest's SSH server answers, and then tries one attempt after another to log in, never two at
    /// once, until one does.
    /// </summary>
    /// <param name="target">Where to and as whom.</param>
    /// <param name="deadline">When to give up, on the clock of <paramref name="time"/>.</param>
    /// <param name="time">The clock of all waits.</param>
    /// <param name="progress">Told of each observation that differs from the one before.</param>
    /// <param name="cancellationToken">Ends the wait at once.</param>
    /// <exception cref="ProblemException">Nobody could log in; the summary says why.</exception>
    public static Task<GuestShell> WaitAsync(
        SshTarget target, DateTimeOffset deadline, TimeProvider time, Action<SshObservation>? progress,
        CancellationToken cancellationToken) =>
        WaitAsync(_ => ValueTask.FromResult<SshTarget?>(target), deadline, time, progress, cancellationToken);

    /// <summary>The same for a guest whose address must first be found; <paramref name="locate"/> gives null until
    /// there is one, and is asked before each attempt.</summary>
    public static async Task<GuestShell> WaitAsync(
        Func<CancellationToken, ValueTask<SshTarget?>> locate, DateTimeOffset deadline, TimeProvider time,
        Action<SshObservation>? progress, CancellationToken cancellationToken)
    {
        // Elapsed time comes from the monotonic side of the clock: the wall may be set while a guest boots.
        var patience = deadline - time.GetUtcNow();
        var start = time.GetTimestamp();
        var diagnosis = new SshDiagnosis();
        using var overall = new CancellationTokenSource(
            patience > TimeSpan.Zero ? patience : TimeSpan.Zero, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(overall.Token, cancellationToken);
        SshTarget? target = null;
        SshKnock? knock = null;
        var failures = 0;
        try
        {
            while (true)
            {
                target = await locate(linked.Token);
                if (knock?.Target != target)
                {
                    knock?.Dispose();
                    knock = target is null ? null : new SshKnock(target, time);
                }

                var (session, met) = target is null
                    ? (null, new SshObservation.NoAddress())
                    : await TryAsync(target, knock!, time, linked.Token);
                if (diagnosis.Add(met, time.GetElapsedTime(start)))
                    progress?.Invoke(met);
                if (session is not null)
                    return new GuestShell(session, target!, time);
                if (target is { HandshakeAttempts: > 0 } && IsFailure(met) && ++failures >= target.HandshakeAttempts)
                    break;
                if (met is SshObservation.HostKeyDiffers && diagnosis.Repeats >= MaxWrongHostKeys)
                    break;
                await Task.Delay(Pause(met, diagnosis.Repeats), time, linked.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The deadline; a connection that it cut off while still silent is an observation of its own.
            if (target is not null && diagnosis.Last is null)
                diagnosis.Add(new SshObservation.Silent(), time.GetElapsedTime(start));
        }

        finally
        {
            knock?.Dispose();
        }

        throw diagnosis.ToProblem(target, time.GetElapsedTime(start));
    }

    private static bool IsFailure(SshObservation met) =>
        met is SshObservation.LoginRefused or SshObservation.HandshakeFailed or SshObservation.HostKeyDiffers;

    private static async Task<(SshSession? Session, SshObservation Met)> TryAsync(
        SshTarget target, SshKnock knock, TimeProvider time, CancellationToken cancellationToken) =>
        await knock.ListenAsync(cancellationToken) switch
        {
            KnockAnswer.Silence => (null, new SshObservation.Silent()),
            KnockAnswer.NoReply => (null, new SshObservation.Unreachable("no reply")),
            KnockAnswer.Data => await SshConnector.TryAsync(
                target, target.SilenceLimit * SshKnock.MostPatience, time, cancellationToken),
            KnockAnswer.End => await SshConnector.TryAsync(target, target.SilenceLimit, time, cancellationToken),
        };

    private static TimeSpan Pause(SshObservation met, int repeats)
    {
        if (met is SshObservation.Silent)
            return TimeSpan.FromMilliseconds(50);
        if (!IsFailure(met))
            return QuickPause;
        var pause = TimeSpan.FromMilliseconds(250 * Math.Pow(2, Math.Min(repeats, 6)));
        return pause < LongestPause ? pause : LongestPause;
    }
}
