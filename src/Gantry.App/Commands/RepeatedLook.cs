namespace Gantry.App.Commands;

/// <summary>
/// Looks again and again until a goal is reached, also while an earlier look has no answer yet. QEMU's user-mode network
/// accepts for a guest that is not up, and asks the guest again only after 3 s, then 6 s: a connection made while the
/// guest boots is answered seconds later than a new one.
/// </summary>
/// <param name="pause">From the end of a look to the next one.</param>
/// <param name="overlap">From the begin of a look that has no answer yet to the next one.</param>
/// <param name="most">Looks under way at once, 1 or more.</param>
internal sealed class RepeatedLook(TimeSpan pause, TimeSpan overlap, int most, TimeProvider time)
{
    /// <summary>Returns when a look has found the goal reached; those still under way are cancelled.</summary>
    /// <param name="look">Gives null when the goal is reached, otherwise what was seen; ends when it is cancelled.</param>
    /// <param name="seen">Told what each look saw.</param>
    /// <param name="cancellationToken">Ends the wait and all looks.</param>
    /// <exception cref="Gantry.Model.ProblemException">A look found that the goal can't be reached.</exception>
    public async Task RunAsync(
        Func<CancellationToken, Task<string?>> look, Action<string> seen, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var open = new List<Task<string?>>();
        var next = Task.CompletedTask;
        try
        {
            while (true)
            {
                if (next.IsCompleted && open.Count < most)
                {
                    open.Add(look(ended.Token));
                    next = Task.Delay(overlap, time, ended.Token);
                }

                // A timer that has gone off says nothing more while no further look may begin.
                var first = await Task.WhenAny(next.IsCompleted ? open : [.. open, next]);
                if (first == next)
                {
                    await next;
                    continue;
                }

                var done = (Task<string?>)first;
                open.Remove(done);
                if (await done is not { } what)
                    return;
                seen(what);
                next = Task.Delay(pause, time, ended.Token);
            }
        }
        finally
        {
            await ended.CancelAsync();
            Task all = Task.WhenAll(open);
            await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
