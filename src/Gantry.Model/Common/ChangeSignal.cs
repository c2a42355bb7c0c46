namespace Gantry.Model;

/// <summary>
/// Wakes all who wait for a change. Whoever waits takes <see cref="Next"/> before it looks at what may have changed, so
/// that no change falls between the look and the wait.
/// </summary>
public sealed class ChangeSignal
{
    private TaskCompletionSource _next = New();

    /// <summary>Completes at the next change from now on.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    /// <summary>Tells that something has changed.</summary>
    public void Raise() => Interlocked.Exchange(ref _next, New()).SetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
