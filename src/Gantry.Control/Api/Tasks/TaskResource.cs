using Gantry.Control.Cache;
using Gantry.Model.Machines;
using Gantry.Model.Tasks;

namespace Gantry.Control.Api.Tasks;

/// <summary>A task as the API shows it.</summary>
public sealed record TaskResource
{
    public required string Id { get; init; }

    /// <summary>What it does: create-machine, clone-machine, delete-machine, take-snapshot, ...</summary>
    public required string Kind { get; init; }

    /// <summary>What it does, in a few words for people.</summary>
    public required string Title { get; init; }

    /// <summary>The number of the machine that it is about; null where there was none before it.</summary>
    public int? Machine { get; init; }

    public required string Node { get; init; }

    /// <summary>Who asked for it.</summary>
    public required string By { get; init; }

    public required DateTimeOffset At { get; init; }

    public required TaskPhase Phase { get; init; }

    /// <summary>Null before it has begun.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>Null before it has ended.</summary>
    public DateTimeOffset? Ended { get; init; }

    /// <summary>Somebody does not want it any more; the phase says what became of that.</summary>
    public required bool CancelRequested { get; init; }

    /// <summary>How far it is; null while it does not run.</summary>
    public TaskProgress? Progress { get; init; }

    public ProblemResource? Problem { get; init; }

    public TaskResultResource? Result { get; init; }

    internal static TaskResource Of(TaskOrder order, TaskState? state, TaskProgress? progress = null) => new()
    {
        Id = order.Id,
        Kind = order.Work.KindName,
        Title = TitleOf(order.Work),
        Machine = order.Work.Machine?.Number.Value,
        Node = order.Node,
        By = order.By,
        At = order.At,
        Phase = state?.Phase ?? TaskPhase.Queued,
        Started = state?.Started,
        Ended = state?.Ended,
        CancelRequested = order.Cancelled,
        Progress = progress,
        Problem = state?.Problem is { } problem ? ProblemResource.Of(problem) : null,
        Result = state?.Result is { } result
            ? new TaskResultResource
            {
                Machine = result.Machine?.Value,
                Templates = result.Templates,
                Files = result.Files,
            }
            : null,
    };

    internal static TaskResource Of(ClusterView view, TaskOrder order, INodeTasks? tasks) =>
        Of(order, view.TaskStates.GetValueOrDefault(order.Id)?.Value, tasks?.Progress(order.Id));

    private static string TitleOf(TaskWork work) => work switch
    {
        TaskWork.CreateMachine create => $"create {create.New.Name} of {create.Template}",
        TaskWork.CloneMachine clone => $"clone {clone.Source.Name} as {clone.New.Name}",
        TaskWork.DeleteMachine delete => $"delete {delete.Target.Name}",
        TaskWork.TakeSnapshot take => $"snapshot {take.Name} of {take.Target.Name}",
        TaskWork.DeleteSnapshot delete => $"delete snapshot {delete.Name} of {delete.Target.Name}",
        TaskWork.RollBack rollBack => $"roll {rollBack.Target.Name} back to {rollBack.Name}",
        TaskWork.Build build => $"build {Path.GetFileName(build.Path.TrimEnd('/'))}",
        _ => work.KindName,
    };
}

/// <summary>What a task made; empty lists where it made none.</summary>
public sealed record TaskResultResource
{
    /// <summary>The number of the new machine.</summary>
    public int? Machine { get; init; }

    /// <summary>The names of new templates.</summary>
    public required IReadOnlyList<string> Templates { get; init; }

    /// <summary>Files on the node; absolute.</summary>
    public required IReadOnlyList<string> Files { get; init; }
}

/// <summary>A page of tasks, the newest first.</summary>
public sealed record TaskPage
{
    public required IReadOnlyList<TaskResource> Items { get; init; }

    /// <summary>What to give as <c>before</c> for the next page; null on the last.</summary>
    public string? Next { get; init; }

    /// <summary>The store's revision that the page was read at.</summary>
    public required long Revision { get; init; }
}

/// <summary>
/// What a task's stream tells: <c>line</c> of its log, <c>progress</c>, and at last <c>ended</c> with the task.
/// </summary>
public sealed record TaskEvent
{
    public string? Line { get; init; }

    public TaskProgress? Progress { get; init; }

    public TaskResource? Task { get; init; }
}

/// <summary>What is wished of a new machine; what is left out is as in what it is made from.</summary>
public sealed record NewMachineBody
{
    public required string Name { get; init; }

    /// <summary>1 to 1024.</summary>
    public int? Cpus { get; init; }

    public int? MemoryMiB { get; init; }

    /// <summary>Of the first disk; not less than it has.</summary>
    public long? DiskBytes { get; init; }

    /// <summary>What the host answers on for it.</summary>
    public IReadOnlyList<NewPortBody>? Ports { get; init; }

    /// <summary>Refuses deletion until it is taken away.</summary>
    public bool Protected { get; init; }

    public string? Notes { get; init; }

    public IReadOnlyList<string>? Tags { get; init; }
}

/// <summary>A guest's port that the host is to answer on.</summary>
public sealed record NewPortBody
{
    /// <summary>The host's; loopback where it is left out.</summary>
    public string? Address { get; init; }

    /// <summary>0 lets the node choose a free one at each start.</summary>
    public int HostPort { get; init; }

    public required int GuestPort { get; init; }

    public bool Udp { get; init; }
}

/// <summary>A new machine of a template.</summary>
public sealed record CreateMachineBody
{
    /// <summary>The template's name.</summary>
    public required string Template { get; init; }

    public required NewMachineBody Machine { get; init; }
}

public sealed record SnapshotBody
{
    public required string Name { get; init; }

    /// <summary>Keep the memory of a running machine too.</summary>
    public bool Memory { get; init; }

    public string? Notes { get; init; }
}

public sealed record RollBackBody
{
    /// <summary>Only the disks, though the snapshot has memory.</summary>
    public bool WithoutMemory { get; init; }

    /// <summary>Go on from memory also where the guest's clock and random numbers can't be renewed.</summary>
    public bool Unrenewed { get; init; }
}

/// <summary>A template file to build.</summary>
public sealed record BuildBody
{
    /// <summary>A file or a folder; absolute, on the node.</summary>
    public required string Path { get; init; }

    /// <summary>The template's variables, as text.</summary>
    public IReadOnlyDictionary<string, string>? Variables { get; init; }

    /// <summary>Patterns of the builds to run; none runs all.</summary>
    public IReadOnlyList<string>? Only { get; init; }

    /// <summary>Patterns of the builds to leave out.</summary>
    public IReadOnlyList<string>? Except { get; init; }

    /// <summary>Neither use steps of earlier builds nor keep new ones.</summary>
    public bool NoCache { get; init; }

    /// <summary>Replace output that is there already.</summary>
    public bool Force { get; init; }
}
