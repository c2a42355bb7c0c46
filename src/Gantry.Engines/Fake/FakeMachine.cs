using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engines.Qemu;
using Gantry.Model.Machines;

namespace Gantry.Engines.Fake;

/// <summary>A machine of <see cref="FakeEngine"/>: its state, what was done to it, and what it does in answer.</summary>
public sealed class FakeMachine
{
    private static int _lastPid = 100_000;

    private readonly Lock _gate = new();
    private readonly List<string> _actions = [];
    private readonly TaskCompletionSource<GuestExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeMachine(QemuLaunch launch)
    {
        Launch = launch;
        Phase = launch.Incoming ? MachinePhase.Starting : launch.Paused ? MachinePhase.Starting : MachinePhase.Running;
        for (var i = 0; i < launch.Disks.Count; i++)
            TopNodes[$"disk{i}"] = $"disk{i}";
        if (launch.Firmware is not null)
            TopNodes["efivars"] = "efivars";
        for (var i = 0; i < launch.Spec.Cdroms.Count; i++)
        {
            if (launch.Spec.Cdroms[i].Seed ? launch.SeedCd is not null : launch.Cdroms.ElementAtOrDefault(i) is not null)
                TopNodes[$"cd{i}"] = $"cd{i}-media";
        }
        Ports.AddRange(launch.Ports);
    }

    internal event Action? Ended;

    internal event Action? PhaseChanged;

    public QemuLaunch Launch { get; }

    public int Pid { get; } = Interlocked.Increment(ref _lastPid);

    public MachinePhase Phase
    {
        get;
        set
        {
            field = value;
            PhaseChanged?.Invoke();
        }
    }

    public Dictionary<string, string> TopNodes { get; } = new(StringComparer.Ordinal);

    /// <summary>The files of each node that was laid over another, by node.</summary>
    public Dictionary<string, string> Overlays { get; } = new(StringComparer.Ordinal);

    public List<LaunchPort> Ports { get; } = [];

    /// <summary>What a guest would have in memory: saved to and loaded from memory files as text.</summary>
    public string Memory { get; set; } = "";

    /// <summary>Called with the name of each action before it has an effect; may throw or wait.</summary>
    public Func<string, CancellationToken, Task>? OnAction { get; set; }

    /// <summary>What the guest does at the power button; by default it shuts down at once.</summary>
    public Action<FakeMachine> OnPowerButton { get; set; } = machine => machine.End("guest-shutdown");

    /// <summary>The guest agent's answers; null: there is no agent.</summary>
    public Func<string, JsonObject?, JsonElement>? GuestAgent { get; set; }

    /// <summary>The monitor's answers to raw commands; null answers <c>{}</c> to all.</summary>
    public Func<string, JsonObject?, JsonElement>? OnCommand { get; set; }

    /// <summary>Names of what was done, in order: pause, snapshot disk0, save-memory, ...</summary>
    public IReadOnlyList<string> Actions
    {
        get
        {
            lock (_gate)
                return [.. _actions];
        }
    }

    internal Task<GuestExit> Exit => _exit.Task;

    /// <summary>Ends the machine, as its guest or its host might.</summary>
    /// <param name="reason">QEMU's word, see <see cref="GuestExit"/>.</param>
    public void End(string reason)
    {
        Phase = MachinePhase.Stopped;
        Ended?.Invoke();
        _exit.TrySetResult(new GuestExit(reason));
    }

    internal async Task ActAsync(string action, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_exit.Task.IsCompleted)
        {
            throw new Model.ProblemException(
                Model.ProblemKind.Unavailable, "the machine can't be reached: it has ended");
        }
        if (OnAction is { } script)
            await script(action, cancellationToken).ConfigureAwait(false);
        lock (_gate)
            _actions.Add(action);
    }
}
