using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Machines.Delete;
using Gantry.Machines.Guest;
using Gantry.Machines.Run;
using Gantry.Machines.Snapshots;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Tasks;
using Gantry.Storage;

namespace Gantry.Agent.Tasks;

/// <summary>What the tasks about machines need of a host.</summary>
public sealed record MachineServices
{
    public required DataFolders Folders { get; init; }

    public required MachineCatalog Machines { get; init; }

    public required TemplateCatalog Templates { get; init; }

    public required MachineLauncher Launcher { get; init; }

    public required MachineRemover Remover { get; init; }

    public required MachineHost Host { get; init; }

    public required SnapshotTaker Snapshots { get; init; }

    public required SnapshotDeleter SnapshotDeleter { get; init; }

    public required SnapshotReverter Reverter { get; init; }

    /// <summary>Called when a machine's chains may have become long.</summary>
    public required Func<MachineNumber, CancellationToken, Task> OnLonger { get; init; }
}

/// <summary>Does tasks about machines, with the same parts as the commands.</summary>
public sealed class MachineWork(MachineServices services) : ITaskWorker
{
    /// <inheritdoc/>
    public Task<TaskResult> DoAsync(TaskWork work, IProgressSink progress, CancellationToken cancellationToken) =>
        work switch
        {
            TaskWork.CreateMachine create => CreateAsync(create, progress, cancellationToken),
            TaskWork.CloneMachine clone => CloneAsync(clone, progress, cancellationToken),
            TaskWork.DeleteMachine delete => DeleteAsync(delete, progress, cancellationToken),
            TaskWork.TakeSnapshot take => TakeAsync(take, progress, cancellationToken),
            TaskWork.DeleteSnapshot delete => DeleteAsync(delete, progress, cancellationToken),
            TaskWork.RollBack rollBack => RollBackAsync(rollBack, progress, cancellationToken),
            _ => throw new ProblemException(
                ProblemKind.InvalidInput, $"this node does not know how to do a task of kind {work.KindName}"),
        };

    private async Task<TaskResult> CreateAsync(
        TaskWork.CreateMachine work, IProgressSink progress, CancellationToken cancellationToken)
    {
        progress.Activity($"Making {work.New.Name} of {work.Template}");
        var template = await services.Templates.GetAsync(work.Template, cancellationToken).ConfigureAwait(false);
        var wishes = await WishesAsync(work.New, template.LoginUser, cancellationToken).ConfigureAwait(false);
        var machine = await services.Launcher.FromTemplateAsync(template, wishes, cancellationToken)
            .ConfigureAwait(false);
        return new TaskResult { Machine = machine.Number };
    }

    private async Task<TaskResult> CloneAsync(
        TaskWork.CloneMachine work, IProgressSink progress, CancellationToken cancellationToken)
    {
        progress.Activity($"Cloning {work.Source.Name}");
        var source = await GetAsync(work.Source, cancellationToken).ConfigureAwait(false);
        var wishes = await WishesAsync(work.New, source.Spec.CloudInit?.User, cancellationToken).ConfigureAwait(false);
        var machine = await services.Launcher.FromMachineAsync(source, wishes, cancellationToken).ConfigureAwait(false);
        await services.OnLonger(source.Number, cancellationToken).ConfigureAwait(false);
        return new TaskResult { Machine = machine.Number };
    }

    private async Task<TaskResult> DeleteAsync(
        TaskWork.DeleteMachine work, IProgressSink progress, CancellationToken cancellationToken)
    {
        progress.Activity($"Deleting {work.Target.Name}");
        var machine = await GetAsync(work.Target, cancellationToken).ConfigureAwait(false);
        await services.Remover.DeleteAsync(machine, work.Force, cancellationToken).ConfigureAwait(false);
        return TaskResult.Nothing;
    }

    private async Task<TaskResult> TakeAsync(
        TaskWork.TakeSnapshot work, IProgressSink progress, CancellationToken cancellationToken)
    {
        var machine = await GetAsync(work.Target, cancellationToken).ConfigureAwait(false);
        var request = new SnapshotRequest { Name = work.Name, Notes = work.Notes, Memory = work.Memory };
        await services.Snapshots.TakeAsync(machine.Number, request, progress, cancellationToken).ConfigureAwait(false);
        await services.OnLonger(machine.Number, cancellationToken).ConfigureAwait(false);
        return TaskResult.Nothing;
    }

    private async Task<TaskResult> DeleteAsync(
        TaskWork.DeleteSnapshot work, IProgressSink progress, CancellationToken cancellationToken)
    {
        var machine = await GetAsync(work.Target, cancellationToken).ConfigureAwait(false);
        await services.SnapshotDeleter.DeleteAsync(machine.Number, work.Name, progress, cancellationToken)
            .ConfigureAwait(false);
        return TaskResult.Nothing;
    }

    private async Task<TaskResult> RollBackAsync(
        TaskWork.RollBack work, IProgressSink progress, CancellationToken cancellationToken)
    {
        var machine = await GetAsync(work.Target, cancellationToken).ConfigureAwait(false);
        var options = new RollbackOptions { WithoutMemory = work.WithoutMemory, Unrenewed = work.Unrenewed };
        await services.Reverter.RollBackAsync(machine.Number, work.Name, options, progress, cancellationToken)
            .ConfigureAwait(false);
        await services.OnLonger(machine.Number, cancellationToken).ConfigureAwait(false);
        return TaskResult.Nothing;
    }

    private async Task<MachineRecord> GetAsync(MachineId id, CancellationToken cancellationToken) =>
        await services.Machines.FindAsync(id.Number, cancellationToken).ConfigureAwait(false) is { } machine
            && machine.Uuid == id.Uuid
            ? machine
            : throw new ProblemException(ProblemKind.NotFound, $"machine {id.Number}, {id.Name}, is gone");

    /// <summary>The node's own key may log in, as with machines that commands make.</summary>
    private async Task<MachineWishes> WishesAsync(
        NewMachine wanted, string? loginUser, CancellationToken cancellationToken)
    {
        var key = await NodeKey.GetAsync(services.Folders, cancellationToken).ConfigureAwait(false);
        return new MachineWishes
        {
            Name = wanted.Name,
            Cpus = wanted.Cpus,
            MemoryMiB = wanted.MemoryMiB,
            DiskSize = wanted.DiskBytes,
            Publish = wanted.Ports,
            CloudInit = new CloudInit { User = loginUser, SshKeys = [key.PublicKey] },
            Protected = wanted.Protected,
            Notes = wanted.Notes,
            Tags = wanted.Tags,
        };
    }
}
