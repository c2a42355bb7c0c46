using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Gantry.Control.Api.Tasks;
using Gantry.Control.Cache;
using Gantry.Control.Intents;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Gantry.Control.Api.Machines;

/// <summary><c>/api/v1/machines</c>: what there is, and what is asked of it.</summary>
internal static class MachineEndpoints
{
    private const int UsualPage = 1000;
    private const int LongestPage = 10_000;

    /// <summary>A client that is gone, or a way to it that is, is noticed by writing to it.</summary>
    private static readonly TimeSpan BeatInterval = TimeSpan.FromSeconds(15);

    /// <summary>Seconds that a request may wait for something to happen.</summary>
    private const int LongestWait = 300;

    public static void Map(IEndpointRouteBuilder api)
    {
        var machines = api.MapGroup("/machines");
        machines.MapGet("", List);
        machines.MapGet("/{machine}", GetAsync);
        MapVerb(machines, "start", new PowerRequest { Wanted = PowerState.Running });
        MapVerb(machines, "shutdown", new PowerRequest { Wanted = PowerState.Stopped });
        MapVerb(machines, "stop", new PowerRequest { Wanted = PowerState.Stopped, Manner = StopManner.Kill });
        MapVerb(machines, "restart", new PowerRequest { Wanted = PowerState.Running, Anew = true });
        api.MapGet("/events", (HttpContext http, Services services, CancellationToken stop) =>
            TypedResults.ServerSentEvents(EventsAsync(services, LastSeen(http, services.Identity), stop)));
    }

    private static void MapVerb(IEndpointRouteBuilder machines, string verb, PowerRequest request) =>
        machines.MapPost(
            $"/{{machine}}/{verb}",
            (string machine, PowerBody? body, Services services, CancellationToken stop) => AskAsync(
                machine, body?.Timeout is { } timeout ? request with { PatienceSeconds = timeout } : request, services,
                stop));

    private static Ok<MachinePage> List(Services services, int after = 0, int limit = UsualPage)
    {
        ApiInput.CheckRange("limit", limit, 1, LongestPage);
        var view = services.Cache.View;
        var items = view.Machines.Values.Select(one => one.Value).Where(one => one.Number.Value > after)
            .Take(limit + 1).Select(one => MachineResource.Of(one, view.Intent(one), view.Status(one))).ToList();
        var more = items.Count > limit;
        if (more)
            items.RemoveAt(limit);
        return TypedResults.Ok(new MachinePage
        {
            Items = items,
            Next = more ? items[^1].Number : null,
            Revision = view.Revision,
        });
    }

    /// <summary>One machine; with <c>settled</c>, once the intent of that sequence is fulfilled or given up.</summary>
    private static async Task<Ok<MachineResource>> GetAsync(
        string machine, Services services, CancellationToken stop, long settled = 0, int wait = 30)
    {
        ApiInput.CheckRange("wait", wait, 0, LongestWait, " seconds");
        var view = services.Cache.View;
        var found = Find(view, machine);
        if (settled > 0)
        {
            // Where it is not settled in time, the answer shows how far it is.
            view = await services.Cache.WaitAsync(
                next => next.HasSettled(found, settled), TimeSpan.FromSeconds(wait), services.Time, stop)
                .ConfigureAwait(false) ?? services.Cache.View;
            found = Find(view, found.Number.ToString());
        }

        return TypedResults.Ok(MachineResource.Of(found, view.Intent(found), view.Status(found)));
    }

    private static async Task<Results<Ok<PowerAnswer>, Accepted<PowerAnswer>>> AskAsync(
        string machine, PowerRequest request, Services services, CancellationToken stop)
    {
        var found = await FindNowAsync(services, machine, stop).ConfigureAwait(false);
        var admission = await services.Desk.AdmitAsync(found.Number, request, "local", stop).ConfigureAwait(false);
        var answer = new PowerAnswer
        {
            Done = admission.Done,
            Sequence = admission.Sequence,
            Machine = admission.Machine.Value,
        };
        return admission.Done
            ? TypedResults.Ok(answer)
            : TypedResults.Accepted($"/api/v1/machines/{found.Number}?settled={admission.Sequence}", answer);
    }

    /// <summary>
    /// Every machine and task that something is new about, from the revision after the one that was seen last.
    /// </summary>
    private static async IAsyncEnumerable<SseItem<ChangeEvent>> EventsAsync(
        Services services, long? seen, [EnumeratorCancellation] CancellationToken stop)
    {
        var before = services.Cache.View;
        // What happened since then is no longer known one by one: everything is told again.
        if (seen is { } last && last < before.Revision)
            before = ClusterView.Empty with { Revision = last };
        // The answer's beginning is sent with the first event, which therefore can't wait for a change.
        yield return Beat(services, before);
        while (true)
        {
            var view = await services.Cache.WaitAsync(
                next => next.Revision > before.Revision, BeatInterval, services.Time, stop).ConfigureAwait(false);
            if (view is null)
            {
                yield return Beat(services, before);
                continue;
            }

            foreach (var number in ViewChanges.Between(before, view))
            {
                var machine = view.Machines.GetValueOrDefault(number)?.Value;
                var happened = new ChangeEvent
                {
                    Revision = view.Revision,
                    Number = number.Value,
                    Machine = machine is null
                        ? null : MachineResource.Of(machine, view.Intent(machine), view.Status(machine)),
                };
                yield return new SseItem<ChangeEvent>(happened, "machine") { EventId = IdOf(services, view) };
            }

            foreach (var id in ViewChanges.TasksBetween(before, view))
            {
                var happened = new ChangeEvent
                {
                    Revision = view.Revision,
                    TaskId = id,
                    Task = view.Tasks.GetValueOrDefault(id) is { } order
                        ? TaskResource.Of(view, order.Value, services.Tasks) : null,
                };
                yield return new SseItem<ChangeEvent>(happened, "task") { EventId = IdOf(services, view) };
            }

            before = view;
        }
    }

    private static SseItem<ChangeEvent> Beat(Services services, ClusterView view) =>
        new(new ChangeEvent { Revision = view.Revision }, "beat") { EventId = IdOf(services, view) };

    private static string IdOf(Services services, ClusterView view) =>
        string.Create(CultureInfo.InvariantCulture, $"{services.Identity.Generation}.{view.Revision}");

    /// <summary>The revision in <c>Last-Event-ID</c>; null for none, and 0 where it is of another generation.</summary>
    private static long? LastSeen(HttpContext http, StateIdentity identity)
    {
        if (http.Request.Headers["Last-Event-ID"] is not [{ Length: > 0 } text])
            return null;
        var parts = text.Split('.');
        if (parts.Length != 2 || !long.TryParse(parts[0], out var generation)
            || !long.TryParse(parts[1], out var revision))
        {
            throw ApiInput.Invalid($"Last-Event-ID: expected GENERATION.REVISION as an event gave it, found '{text}'");
        }

        return generation == identity.Generation ? revision : 0;
    }

    private static MachineRecord Find(ClusterView view, string machine) =>
        view.Find(machine)?.Value ?? throw NotFound(view, machine);

    /// <summary>As <see cref="Find"/>, but a machine that was made a moment ago is waited for.</summary>
    public static async Task<MachineRecord> FindNowAsync(Services services, string machine, CancellationToken stop)
    {
        if (services.Cache.View.Find(machine) is { } found)
            return found.Value;
        var head = (await services.Store.RangeAsync("machines/", 1, null, stop).ConfigureAwait(false)).Revision;
        return Find(await services.Cache.WaitAsync(view => view.Revision >= head, stop).ConfigureAwait(false), machine);
    }

    private static ProblemException NotFound(ClusterView view, string machine) => new(
        ProblemKind.NotFound, $"there is no machine '{machine}'",
        NearNames.Suggest(machine, view.Names.Keys) ?? "gantry list shows all machines");
}
