using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engines.Qemu;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Fake;

/// <summary>A connection to a <see cref="FakeMachine"/>.</summary>
public sealed class FakeGuest(FakeMachine machine) : IMachineGuest
{
    public FakeMachine Machine => machine;

    public event Action? PhaseChanged
    {
        add => machine.PhaseChanged += value;
        remove => machine.PhaseChanged -= value;
    }

    public int Pid => machine.Pid;

    public Guid Uuid => machine.Launch.Uuid;

    public IQemuMonitor Monitor { get; } = new FakeMonitor(machine);

    public async Task<MachinePhase> PhaseAsync(CancellationToken cancellationToken = default)
    {
        await machine.ActAsync("phase", cancellationToken).ConfigureAwait(false);
        return machine.Phase;
    }

    public async Task ResumeAsync(CancellationToken cancellationToken = default)
    {
        await machine.ActAsync("resume", cancellationToken).ConfigureAwait(false);
        machine.Phase = MachinePhase.Running;
    }

    public async Task PauseAsync(CancellationToken cancellationToken = default)
    {
        await machine.ActAsync("pause", cancellationToken).ConfigureAwait(false);
        machine.Phase = MachinePhase.Paused;
    }

    public async Task PowerDownAsync(CancellationToken cancellationToken = default)
    {
        await machine.ActAsync("power-down", cancellationToken).ConfigureAwait(false);
        if (machine.Phase == MachinePhase.Running)
            machine.OnPowerButton(machine);
    }

    public Task ResetAsync(CancellationToken cancellationToken = default) =>
        machine.ActAsync("reset", cancellationToken);

    public async Task QuitAsync(CancellationToken cancellationToken = default)
    {
        if (machine.Exit.IsCompleted)
            return;
        await machine.ActAsync("quit", cancellationToken).ConfigureAwait(false);
        machine.End("host-qmp-quit");
    }

    public Task<GuestExit> WaitForExitAsync(CancellationToken cancellationToken = default) =>
        machine.Exit.WaitAsync(cancellationToken);

    public async Task<IReadOnlyDictionary<string, string>> TopNodesAsync(CancellationToken cancellationToken = default)
    {
        await machine.ActAsync("top-nodes", cancellationToken).ConfigureAwait(false);
        return new Dictionary<string, string>(machine.TopNodes, StringComparer.Ordinal);
    }

    public async Task SnapshotDisksAsync(
        IReadOnlyList<DiskOverlay> overlays, CancellationToken cancellationToken = default)
    {
        await machine.ActAsync(
            $"snapshot {string.Join(' ', overlays.Select(o => o.Node))}", cancellationToken).ConfigureAwait(false);
        var drives = overlays.Select(o => machine.TopNodes.FirstOrDefault(t => t.Value == o.Node).Key
            ?? throw new ProblemException(ProblemKind.NotFound, $"the machine has no block node '{o.Node}'")).ToList();
        foreach (var overlay in overlays)
        {
            if (!File.Exists(overlay.Path))
                throw new ProblemException(ProblemKind.Failed, $"there is no file {overlay.Path}");
        }
        for (var i = 0; i < overlays.Count; i++)
        {
            machine.TopNodes[drives[i]] = overlays[i].NewNode;
            machine.Overlays[overlays[i].NewNode] = overlays[i].Path;
        }
    }

    public async Task SaveMemoryAsync(
        string path, IProgress<JobProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        await machine.ActAsync("save-memory", cancellationToken).ConfigureAwait(false);
        machine.Phase = MachinePhase.Paused;
        await File.WriteAllTextAsync(path, machine.Memory, cancellationToken).ConfigureAwait(false);
        progress?.Report(new JobProgress(1, 1));
    }

    public async Task LoadMemoryAsync(
        string path, IProgress<JobProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        await machine.ActAsync("load-memory", cancellationToken).ConfigureAwait(false);
        if (!machine.Launch.Incoming)
            throw new ProblemException(ProblemKind.Failed, "the machine was not started to receive memory");
        machine.Memory = await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
        machine.Phase = MachinePhase.Paused;
        progress?.Report(new JobProgress(1, 1));
    }

    public async Task AddPublishedPortAsync(LaunchPort port, CancellationToken cancellationToken = default)
    {
        await machine.ActAsync($"publish {port.HostPort}", cancellationToken).ConfigureAwait(false);
        if (machine.Ports.Any(p => p.HostPort == port.HostPort && p.Udp == port.Udp))
            throw new ProblemException(ProblemKind.Unavailable, $"the host's port {port.HostPort} is in use");
        machine.Ports.Add(port);
    }

    public async Task RemovePublishedPortAsync(LaunchPort port, CancellationToken cancellationToken = default)
    {
        await machine.ActAsync($"unpublish {port.HostPort}", cancellationToken).ConfigureAwait(false);
        if (machine.Ports.RemoveAll(p => p.HostPort == port.HostPort && p.Udp == port.Udp) == 0)
            throw new ProblemException(ProblemKind.NotFound, $"the port {port.HostPort} is not published");
    }

    public async Task ChangeCdromAsync(string drive, string path, CancellationToken cancellationToken = default)
    {
        await machine.ActAsync($"change {drive} {path}", cancellationToken).ConfigureAwait(false);
        machine.TopNodes[drive] = $"{drive}-media";
    }

    public async Task EjectAsync(string drive, CancellationToken cancellationToken = default)
    {
        await machine.ActAsync($"eject {drive}", cancellationToken).ConfigureAwait(false);
        machine.TopNodes.Remove(drive);
    }

    public Task ResizeDiskAsync(string node, long bytes, CancellationToken cancellationToken = default) =>
        machine.ActAsync($"resize {node} {bytes}", cancellationToken);

    public async Task<IReadOnlyDictionary<string, string>> NodesByFileAsync(
        CancellationToken cancellationToken = default)
    {
        await machine.ActAsync("nodes", cancellationToken).ConfigureAwait(false);
        var nodes = machine.Overlays.ToDictionary(overlay => overlay.Value, overlay => overlay.Key);
        var chains = machine.Launch.Disks.Select((disk, i) => (Name: $"disk{i}", disk.Chain))
            .Append((Name: "efivars", Chain: machine.Launch.Variables));
        foreach (var (name, chain) in chains)
        {
            for (var depth = 0; depth < chain.Count; depth++)
                nodes.TryAdd(chain[depth].Path, depth == 0 ? name : $"{name}-{depth}");
        }
        return nodes;
    }

    public Task StreamAsync(
        string node, string? baseNode, string? baseName = null, IProgress<JobProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        machine.ActAsync($"stream {node} {baseNode}".TrimEnd(), cancellationToken);

    public async Task CommitAsync(
        string rootNode, string topNode, string baseNode, IProgress<JobProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        await machine.ActAsync($"commit {topNode} {baseNode}", cancellationToken).ConfigureAwait(false);
        if (rootNode == topNode && machine.TopNodes.FirstOrDefault(t => t.Value == topNode).Key is { } drive)
            machine.TopNodes[drive] = baseNode;
    }

    public async Task<JsonElement> GuestAgentAsync(
        string command, JsonObject? arguments = null, TimeSpan? timeout = null,
        CancellationToken cancellationToken = default)
    {
        await machine.ActAsync($"agent {command}", cancellationToken).ConfigureAwait(false);
        return machine.GuestAgent is { } agent
            ? agent(command, arguments)
            : throw new ProblemException(ProblemKind.TimedOut, $"the guest agent did not answer '{command}'");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class FakeMonitor(FakeMachine machine) : IQemuMonitor
    {
        private static readonly JsonElement Empty = JsonElement.Parse("{}");

        public async Task<JsonElement> ExecuteAsync(
            string command, JsonObject? arguments = null, CancellationToken cancellationToken = default)
        {
            await machine.ActAsync($"monitor {command}", cancellationToken).ConfigureAwait(false);
            return machine.OnCommand?.Invoke(command, arguments) ?? Empty;
        }

        public async Task<QmpAnswer> ExecuteInOrderAsync(
            string command, JsonObject? arguments = null, CancellationToken cancellationToken = default) =>
            new(await ExecuteAsync(command, arguments, cancellationToken).ConfigureAwait(false), 0);

        public async Task<string> HumanMonitorAsync(string line, CancellationToken cancellationToken = default)
        {
            var answer = await ExecuteAsync(
                "human-monitor-command", new JsonObject { ["command-line"] = line }, cancellationToken)
                .ConfigureAwait(false);
            return answer.ValueKind == JsonValueKind.String ? answer.GetString()! : "";
        }

        public Task<QmpFdSetEntry> AddDescriptorAsync(
            System.Runtime.InteropServices.SafeHandle descriptor, int? fdset = null, string? note = null,
            CancellationToken cancellationToken = default) =>
            throw new QmpException("add-fd", "GenericError", "a fake machine takes no files");

        public QmpSubscription Subscribe(params ReadOnlySpan<string> names) => new(64, names, _ => { });
    }
}
