using Gantry.Model.Machines;

namespace Gantry.Machines.Run;

/// <summary>
/// Lets the steps of a job work under their machine's lock: whoever starts the job takes a turn for all of it, and a
/// recovery, which nobody started, takes one for each step.
/// </summary>
public sealed class MachineTurns(MachineHost host)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // Flows into the steps that are called within the turn, and into nothing else.
    private readonly AsyncLocal<MachineNumber?> _own = new();

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
