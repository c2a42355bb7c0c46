using System.Collections.Concurrent;
using Gantry.Engines.Qemu;
using Gantry.Model;

namespace Gantry.Engines.Fake;

/// <summary>
/// Machines that exist in memory only, for tests of what stands on engines. It keeps the same promises: one machine
/// for a run directory, found by UUID, alive until it ends. Any step can be made to fail or to wait.
/// </summary>
public sealed class FakeEngine : IMachineEngine
{
    private readonly ConcurrentDictionary<string, FakeMachine> _machines = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<QemuLaunch> _launches = new();

    /// <summary>Called before each start; may throw, wait, or script the machine.</summary>
    public Func<QemuLaunch, FakeMachine, CancellationToken, Task>? OnStart { get; set; }

    /// <summary>Every launch that was asked for and not refused, in order.</summary>
    public IReadOnlyCollection<QemuLaunch> Launches => _launches;

    /// <summary>The machines that are alive, by run directory.</summary>
    public IReadOnlyDictionary<string, FakeMachine> Machines => _machines;

    public async Task<IMachineGuest> StartAsync(
        QemuLaunch launch, string runDirectory, CancellationToken cancellationToken = default)
    {
        // The arguments are built as for a real start, so that an impossible launch is refused here too.
        _ = QemuCommandLine.Build(launch);
        var machine = new FakeMachine(launch);
        if (!_machines.TryAdd(runDirectory, machine))
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{launch.Spec.Name} runs already, or is being started by another command");
        }
        machine.Ended += () => _machines.TryRemove(KeyValuePair.Create(runDirectory, machine));
        _launches.Enqueue(launch);
        try
        {
            if (OnStart is { } script)
                await script(launch, machine, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            machine.End("host-signal");
            throw;
        }
        return new FakeGuest(machine);
    }

    public Task<IMachineGuest?> FindAsync(string runDirectory, Guid uuid, CancellationToken cancellationToken = default)
    {
        if (!_machines.TryGetValue(runDirectory, out var machine))
            return Task.FromResult<IMachineGuest?>(null);
        return machine.Launch.Uuid == uuid
            ? Task.FromResult<IMachineGuest?>(new FakeGuest(machine))
            : throw new ProblemException(
                ProblemKind.Conflict, $"the machine behind {runDirectory} is {machine.Launch.Uuid}, not {uuid}");
    }

    public Task<IMachineGuest?> WatchAsync(
        string runDirectory, Guid uuid, CancellationToken cancellationToken = default) =>
        FindAsync(runDirectory, uuid, cancellationToken);

    public bool IsAlive(string runDirectory) => _machines.ContainsKey(runDirectory);

    public Task KillAsync(string runDirectory, Guid uuid, CancellationToken cancellationToken = default)
    {
        if (_machines.TryGetValue(runDirectory, out var machine))
            machine.End("host-signal");
        return Task.CompletedTask;
    }
}
