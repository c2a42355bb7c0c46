using Gantry.Model.Machines;
using Gantry.Steps.Jobs;

namespace Gantry.Machines.Run;

/// <summary>The context of a job that works on one machine.</summary>
public interface IMachineJob
{
    MachineNumber Machine { get; }
}

/// <summary>
/// Lets the steps of a job work under their machine's lock: whoever starts the job takes a turn for all of it, and a
/// recovery, which nobody started, takes one for each step.
/// </summary>
public sealed class MachineTurns(MachineHost host)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // Flows into the steps that are called within the turn, and into nothing else.
    private readonly AsyncLocal<MachineNumber?> _own = new();

    /// <summary>A job's step that holds its machine's lock, both ways; without <paramref name="undoes"/> there is
    /// nothing to undo.</summary>
    public IJobStep<TJob> Step<TJob>(
        string name, Func<TJob, CancellationToken, Task> does, Func<TJob, CancellationToken, Task>? undoes = null)
        where TJob : IMachineJob => JobStep.Of<TJob>(
            name,
            async (job, _, token) =>
            {
                await RunAsync(job.Machine, () => does(job, token), token).ConfigureAwait(false);
                return job;
            },
            async (job, _, token) =>
            {
                if (undoes is not null)
                    await RunAsync(job.Machine, () => undoes(job, token), token).ConfigureAwait(false);
            });

    /// <summary>Runs work that holds the machine's lock all the while.</summary>
    public async Task<T> RunAsync<T>(MachineNumber machine, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        if (_own.Value == machine)
            return await work().ConfigureAwait(false);
        using var held = await host.LockAsync(machine, Patience, cancellationToken).ConfigureAwait(false);
        var before = _own.Value;
        _own.Value = machine;
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            _own.Value = before;
        }
    }

    /// <inheritdoc cref="RunAsync{T}"/>
    public Task RunAsync(MachineNumber machine, Func<Task> work, CancellationToken cancellationToken) => RunAsync(
        machine,
        async () =>
        {
            await work().ConfigureAwait(false);
            return true;
        },
        cancellationToken);
}
