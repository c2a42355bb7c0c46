using Gantry.Control.Api.Tasks;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Gantry.Control.Api.Machines;

/// <summary>
/// What is asked of machines and takes longer than a moment: each is a task. What can be seen not to work is refused at
/// once; what changes meanwhile makes the task fail.
/// </summary>
internal static class MachineTaskEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var machines = api.MapGroup("/machines");
        machines.MapPost("", CreateAsync);
        machines.MapPost("/{machine}/clone", CloneAsync);
        machines.MapDelete("/{machine}", DeleteAsync);
        machines.MapGet("/{machine}/snapshots", ListSnapshotsAsync);
        machines.MapPost("/{machine}/snapshots", TakeSnapshotAsync);
        machines.MapDelete("/{machine}/snapshots/{snapshot}", DeleteSnapshotAsync);
        machines.MapPost("/{machine}/snapshots/{snapshot}/rollback", RollBackAsync);
    }

    private static Task<Accepted<TaskResource>> CreateAsync(
        CreateMachineBody body, HttpContext http, Services services, CancellationToken stop)
    {
        var wanted = NewOf(body.Machine);
        Names.Check(body.Template, "template");
        return TaskEndpoints.AdmitAsync(
            new TaskWork.CreateMachine { Template = body.Template, New = wanted }, services.Node.Name, http, services,
            stop);
    }

    private static async Task<Accepted<TaskResource>> CloneAsync(
        string machine, NewMachineBody body, HttpContext http, Services services, CancellationToken stop)
    {
        var source = await OrdinaryAsync(services, machine, stop).ConfigureAwait(false);
        var work = new TaskWork.CloneMachine { Source = IdOf(source), New = NewOf(body) };
        return await AdmitAsync(work, source, http, services, stop).ConfigureAwait(false);
    }

    private static async Task<Accepted<TaskResource>> DeleteAsync(
        string machine, HttpContext http, Services services, CancellationToken stop, bool force = false)
    {
        var target = await OrdinaryAsync(services, machine, stop).ConfigureAwait(false);
        if (target.Spec.Protected)
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{target.Spec.Name} is protected from deletion",
                "take its protection away first");
        }

        if (!force && services.Cache.View.Status(target)?.Phase is { } phase and not MachinePhase.Stopped)
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{target.Spec.Name} is {phase.ToString().ToLowerInvariant()}",
                "shut it down first, or ask with ?force=true");
        }

        var work = new TaskWork.DeleteMachine { Target = IdOf(target), Force = force };
        return await AdmitAsync(work, target, http, services, stop).ConfigureAwait(false);
    }

    private static async Task<Ok<SnapshotList>> ListSnapshotsAsync(
        string machine, Services services, CancellationToken stop)
    {
        var found = await MachineEndpoints.FindNowAsync(services, machine, stop).ConfigureAwait(false);
        return TypedResults.Ok(new SnapshotList
        {
            Items = [.. found.Snapshots.Select(one => SnapshotResource.Of(found, one))],
        });
    }

    private static async Task<Accepted<TaskResource>> TakeSnapshotAsync(
        string machine, SnapshotBody body, HttpContext http, Services services, CancellationToken stop)
    {
        var target = await OrdinaryAsync(services, machine, stop).ConfigureAwait(false);
        Names.Check(body.Name, "snapshot");
        if (target.Snapshots.Any(one => one.Name == body.Name) && !IsAskedAgain(http))
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{target.Spec.Name} has a snapshot {body.Name} already", "choose another name");
        }

        var work = new TaskWork.TakeSnapshot
        {
            Target = IdOf(target),
            Name = body.Name,
            Memory = body.Memory,
            Notes = body.Notes ?? "",
        };
        return await AdmitAsync(work, target, http, services, stop).ConfigureAwait(false);
    }

    private static async Task<Accepted<TaskResource>> DeleteSnapshotAsync(
        string machine, string snapshot, HttpContext http, Services services, CancellationToken stop)
    {
        var target = await WithSnapshotAsync(services, machine, snapshot, http, stop).ConfigureAwait(false);
        var work = new TaskWork.DeleteSnapshot { Target = IdOf(target), Name = snapshot };
        return await AdmitAsync(work, target, http, services, stop).ConfigureAwait(false);
    }

    private static async Task<Accepted<TaskResource>> RollBackAsync(
        string machine, string snapshot, RollBackBody? body, HttpContext http, Services services,
        CancellationToken stop)
    {
        var target = await WithSnapshotAsync(services, machine, snapshot, http, stop).ConfigureAwait(false);
        var work = new TaskWork.RollBack
        {
            Target = IdOf(target),
            Name = snapshot,
            WithoutMemory = body?.WithoutMemory ?? false,
            Unrenewed = body?.Unrenewed ?? false,
        };
        return await AdmitAsync(work, target, http, services, stop).ConfigureAwait(false);
    }

    private static Task<Accepted<TaskResource>> AdmitAsync(
        TaskWork work, MachineRecord machine, HttpContext http, Services services, CancellationToken stop) =>
        TaskEndpoints.AdmitAsync(
            work, services.Cache.View.NodeOf(machine) ?? services.Node.Name, http, services, stop);

    private static async Task<MachineRecord> OrdinaryAsync(Services services, string machine, CancellationToken stop)
    {
        var found = await MachineEndpoints.FindNowAsync(services, machine, stop).ConfigureAwait(false);
        return found.Role == MachineRole.Ordinary ? found : throw new ProblemException(
            ProblemKind.Conflict, $"{found.Spec.Name} belongs to a build, which makes and deletes it",
            "wait for the build, or cancel it");
    }

    private static async Task<MachineRecord> WithSnapshotAsync(
        Services services, string machine, string snapshot, HttpContext http, CancellationToken stop)
    {
        var found = await OrdinaryAsync(services, machine, stop).ConfigureAwait(false);
        return found.Snapshots.Any(one => one.Name == snapshot) || IsAskedAgain(http)
            ? found
            : throw new ProblemException(
                ProblemKind.NotFound, $"{found.Spec.Name} has no snapshot '{snapshot}'",
                NearNames.Suggest(snapshot, found.Snapshots.Select(one => one.Name)) ?? "it has none");
    }

    /// <summary>
    /// A request with a key may be one that was answered before: what it did then is no reason to refuse it now.
    /// </summary>
    private static bool IsAskedAgain(HttpContext http) => http.Request.Headers.ContainsKey(TaskEndpoints.KeyHeader);

    private static MachineId IdOf(MachineRecord machine) => new()
    {
        Number = machine.Number,
        Uuid = machine.Uuid,
        Name = machine.Spec.Name,
    };

    private static NewMachine NewOf(NewMachineBody body) => new()
    {
        Name = Names.Check(body.Name, "machine"),
        Cpus = body.Cpus,
        MemoryMiB = body.MemoryMiB,
        DiskBytes = body.DiskBytes,
        Ports = (body.Ports ?? []).Select(port => new PublishedPort
        {
            Address = port.Address ?? "127.0.0.1",
            HostPort = port.HostPort,
            GuestPort = port.GuestPort,
            Udp = port.Udp,
        }).ToValueList(),
        Protected = body.Protected,
        Notes = body.Notes ?? "",
        Tags = (body.Tags ?? []).ToValueList(),
    };
}
