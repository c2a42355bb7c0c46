using Gantry.Control.Api.Tasks;
using Gantry.Control.Intents;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;

namespace Gantry.Control.Api;

/// <summary>A machine as the API shows it.</summary>
public sealed record MachineResource
{
    /// <summary>100 and up.</summary>
    public required int Number { get; init; }

    public required Guid Uuid { get; init; }

    public required string Name { get; init; }

    /// <summary>x86_64, i386, aarch64, armhf, ppc64, ppc64le or riscv64.</summary>
    public required string Isa { get; init; }

    public required int Cpus { get; init; }

    public required int MemoryMiB { get; init; }

    public string? MachineType { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>
    /// The name, at that time, of the template that it was made from; null when it was made from none.
    /// </summary>
    public string? Template { get; init; }

    public required bool Protected { get; init; }

    public required string Notes { get; init; }

    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>A build's machine is started and ended by its build.</summary>
    public required bool OfBuild { get; init; }

    public required RestartResource Restart { get; init; }

    /// <summary>Null for a machine that does not start with its host.</summary>
    public AutostartResource? Autostart { get; init; }

    /// <summary>The newest thing asked of its power; null before anything was.</summary>
    public PowerResource? Power { get; init; }

    public required StatusResource Status { get; init; }

    public static MachineResource Of(MachineRecord machine, PowerIntent? intent, MachineStatus? status) => new()
    {
        Number = machine.Number.Value,
        Uuid = machine.Uuid,
        Name = machine.Spec.Name,
        Isa = machine.Spec.Isa.Name(),
        Cpus = machine.Spec.Cpu.Count,
        MemoryMiB = machine.Spec.MemoryMiB,
        MachineType = machine.Spec.MachineType,
        Created = machine.Created,
        Template = machine.Provenance.Template,
        Protected = machine.Spec.Protected,
        Notes = machine.Spec.Notes,
        Tags = machine.Spec.Tags,
        OfBuild = machine.Role == MachineRole.Build,
        Restart = new RestartResource { Policy = machine.Spec.Restart.Policy, Limit = machine.Spec.Restart.Limit },
        Autostart = machine.Spec.Autostart is { } autostart
            ? new AutostartResource { Order = autostart.Order, DelaySeconds = autostart.DelaySeconds } : null,
        Power = intent is null ? null : new PowerResource
        {
            Sequence = intent.Sequence,
            Wanted = intent.Wanted,
            By = intent.By,
            At = intent.At,
        },
        Status = StatusResource.Of(machine, status),
    };
}

public sealed record RestartResource
{
    public required RestartPolicy Policy { get; init; }

    /// <summary>Restarts in a row before it is given up.</summary>
    public required int Limit { get; init; }
}

/// <summary>The machine starts when its host has booted.</summary>
public sealed record AutostartResource
{
    /// <summary>Lower ones first; null is after all that have one.</summary>
    public int? Order { get; init; }

    /// <summary>Seconds that the next machine waits once this one runs.</summary>
    public required int DelaySeconds { get; init; }
}

public sealed record PowerResource
{
    /// <summary>It is settled when the status says so.</summary>
    public required long Sequence { get; init; }

    public required PowerState Wanted { get; init; }

    public required string By { get; init; }

    public required DateTimeOffset At { get; init; }
}

/// <summary>What the machine's node saw of it last.</summary>
public sealed record StatusResource
{
    public required MachinePhase Phase { get; init; }

    /// <summary>When the phase began; null when it was never seen in another.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>When the run in progress began; null while it does not run.</summary>
    public DateTimeOffset? Started { get; init; }

    public string? Node { get; init; }

    /// <summary>The assignment that the node took up last; 0 for none.</summary>
    public required long Epoch { get; init; }

    /// <summary>The newest <see cref="PowerResource.Sequence"/> that is fulfilled or given up; 0 for none.</summary>
    public required long Settled { get; init; }

    /// <summary>kvm or tcg; null while it does not run.</summary>
    public Accelerator? Accelerator { get; init; }

    /// <summary>Those of the run where it runs, otherwise those that it is to have, with 0 for any free one.</summary>
    public required IReadOnlyList<PortResource> Ports { get; init; }

    public ProblemResource? Problem { get; init; }

    public ExitResource? LastExit { get; init; }

    public required int Restarts { get; init; }

    public DateTimeOffset? NextRestart { get; init; }

    internal static StatusResource Of(MachineRecord machine, MachineStatus? status) => new()
    {
        Phase = status?.Phase ?? MachinePhase.Stopped,
        Since = status?.Since,
        Started = status?.Started,
        Node = status?.Node,
        Epoch = status?.Epoch ?? 0,
        Settled = status?.Settled ?? 0,
        Accelerator = status?.Accelerator,
        Ports = [.. PortsOf(machine, status).Select(PortResource.Of)],
        Problem = status?.Problem is { } problem ? ProblemResource.Of(problem) : null,
        LastExit = status?.LastExit is { } exit
            ? new ExitResource { At = exit.At, Reason = exit.Reason, Orderly = exit.Orderly } : null,
        Restarts = status?.Restarts ?? 0,
        NextRestart = status?.NextRestart,
    };

    private static IEnumerable<PublishedPort> PortsOf(MachineRecord machine, MachineStatus? status) =>
        status is { Ports.Count: > 0 }
            ? status.Ports : machine.Spec.NetworkCards.SelectMany(card => card.Published);
}

/// <summary>A guest's port that the host answers on.</summary>
public sealed record PortResource
{
    public required string Address { get; init; }

    public required int HostPort { get; init; }

    public required int GuestPort { get; init; }

    public required bool Udp { get; init; }

    internal static PortResource Of(PublishedPort port) => new()
    {
        Address = port.Address,
        HostPort = port.HostPort,
        GuestPort = port.GuestPort,
        Udp = port.Udp,
    };
}

/// <summary>How the last run ended.</summary>
public sealed record ExitResource
{
    public required DateTimeOffset At { get; init; }

    /// <summary>QEMU's word, such as guest-shutdown, or <c>requested</c> or <c>unknown</c>.</summary>
    public required string Reason { get; init; }

    /// <summary>Whether the guest or a user brought it about.</summary>
    public required bool Orderly { get; init; }
}

/// <summary>Why something was given up.</summary>
public sealed record ProblemResource
{
    public required ProblemKind Kind { get; init; }

    public required string Summary { get; init; }

    public required string Detail { get; init; }

    public required string Remedy { get; init; }

    internal static ProblemResource Of(Problem problem) => new()
    {
        Kind = problem.Kind,
        Summary = problem.Summary,
        Detail = problem.Detail,
        Remedy = problem.Remedy,
    };
}

/// <summary>What a machine was at one moment.</summary>
public sealed record SnapshotResource
{
    public required string Name { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>It has the memory of a running machine too.</summary>
    public required bool Memory { get; init; }

    /// <summary>The snapshot before it; null for the first of its branch.</summary>
    public string? Parent { get; init; }

    /// <summary>The machine goes on from here.</summary>
    public required bool Current { get; init; }

    public required string Notes { get; init; }

    internal static SnapshotResource Of(MachineRecord machine, SnapshotRecord snapshot) => new()
    {
        Name = snapshot.Name,
        Created = snapshot.Created,
        Memory = snapshot.MemoryFile is not null,
        Parent = snapshot.Parent,
        Current = snapshot.Name == machine.CurrentSnapshot,
        Notes = snapshot.Notes,
    };
}

public sealed record SnapshotList
{
    public required IReadOnlyList<SnapshotResource> Items { get; init; }
}

/// <summary>A page of machines.</summary>
public sealed record MachinePage
{
    public required IReadOnlyList<MachineResource> Items { get; init; }

    /// <summary>What to give as <c>after</c> for the next page; null on the last.</summary>
    public int? Next { get; init; }

    /// <summary>The store's revision that the page was read at.</summary>
    public required long Revision { get; init; }
}

/// <summary>The body of a power request; all of it may be left out.</summary>
public sealed record PowerBody
{
    /// <summary>Seconds that the guest has to shut down.</summary>
    public int? Timeout { get; init; }
}

/// <summary>What became of a power request.</summary>
public sealed record PowerAnswer
{
    /// <summary>Nothing was to be done.</summary>
    public required bool Done { get; init; }

    /// <summary>To be waited for with <c>GET /api/v1/machines/{number}?settled=SEQUENCE</c>.</summary>
    public required long Sequence { get; init; }

    public required int Machine { get; init; }
}

/// <summary>
/// What the event stream tells: <c>machine</c> and <c>task</c> when something is new about one; <c>beat</c> at its
/// beginning and whenever nothing was for a while.
/// </summary>
public sealed record ChangeEvent
{
    /// <summary>All changes up to this revision of the store have been told.</summary>
    public required long Revision { get; init; }

    /// <summary>Of the machine that it is about.</summary>
    public int? Number { get; init; }

    /// <summary>Null when the machine was deleted.</summary>
    public MachineResource? Machine { get; init; }

    /// <summary>The id of the task that it is about.</summary>
    public string? TaskId { get; init; }

    /// <summary>Null when the task was forgotten.</summary>
    public TaskResource? Task { get; init; }
}

/// <summary>How the machines of a node that is to go down have ended.</summary>
public sealed record GuestsShutdown
{
    public required IReadOnlyList<GuestShutdown> Items { get; init; }
}

public sealed record GuestShutdown
{
    /// <summary>Its name.</summary>
    public required string Machine { get; init; }

    public required ShutdownOutcome Outcome { get; init; }
}

/// <summary>The node that answers.</summary>
public sealed record NodeResource
{
    public required string Name { get; init; }

    public required string Version { get; init; }

    /// <summary>Another one is another build of the program.</summary>
    public required string Build { get; init; }

    public required int Pid { get; init; }

    public required DateTimeOffset Started { get; init; }

    /// <summary>It was started by a command and ends when nothing needs it.</summary>
    public required bool Private { get; init; }
}
