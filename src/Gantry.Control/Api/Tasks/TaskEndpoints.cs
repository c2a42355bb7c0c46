using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Gantry.Control.Cache;
using Gantry.Control.Tasks;
using Gantry.Model;
using Gantry.Model.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Gantry.Control.Api.Tasks;

/// <summary><c>/api/v1/tasks</c>: what is under way, and what became of it.</summary>
internal static class TaskEndpoints
{
    /// <summary>The header with what the asker calls this one request.</summary>
    public const string KeyHeader = "Idempotency-Key";

    private const int UsualPage = 100;
    private const int LongestPage = 1000;

    /// <summary>Seconds that a request may wait for a task's end.</summary>
    private const int LongestWait = 300;

    public static void Map(IEndpointRouteBuilder api)
    {
        var tasks = api.MapGroup("/tasks");
        tasks.MapGet("", List);
        tasks.MapGet("/{id}", GetAsync);
        tasks.MapPost("/{id}/cancel", CancelAsync);
        tasks.MapGet("/{id}/log", LogAsync);
        tasks.MapGet("/{id}/events", (string id, HttpContext http, Services services, CancellationToken stop) =>
            TypedResults.ServerSentEvents(EventsAsync(id, Offset(http), services, stop)));
    }

    /// <summary>Records what a request asks for, under its key if it has one.</summary>
    public static async Task<Accepted<TaskResource>> AdmitAsync(
        TaskWork work, string node, HttpContext http, Services services, CancellationToken stop)
    {
        var key = http.Request.Headers.TryGetValue(KeyHeader, out var given) ? given.ToString() : null;
        var order = await services.TaskDesk.AdmitAsync(node, work, new TaskAsker("local", key), stop)
            .ConfigureAwait(false);
        return TypedResults.Accepted(
            $"/api/v1/tasks/{order.Id}", TaskResource.Of(services.Cache.View, order, services.Tasks));
    }

    private static Ok<TaskPage> List(
        Services services, string? before = null, int limit = UsualPage, string? machine = null, string? phase = null)
    {
        ApiInput.CheckRange("limit", limit, 1, LongestPage);
        var wanted = phase is null ? (TaskPhase?)null : PhaseOf(phase);
        var view = services.Cache.View;
        var about = machine is null ? null : view.Find(machine)?.Value ?? throw new ProblemException(
            ProblemKind.NotFound, $"there is no machine '{machine}'");
        var items = view.Tasks.Values.Reverse().Select(one => one.Value)
            .Where(order => before is null || string.CompareOrdinal(order.Id, before) < 0)
            .Where(order => about is null || order.Work.Machine?.Uuid == about.Uuid)
            .Select(order => TaskResource.Of(view, order, services.Tasks))
            .Where(task => wanted is null || task.Phase == wanted)
            .Take(limit + 1).ToList();
        var more = items.Count > limit;
        if (more)
            items.RemoveAt(limit);
        return TypedResults.Ok(new TaskPage
        {
            Items = items,
            Next = more ? items[^1].Id : null,
            Revision = view.Revision,
        });
    }

    /// <summary>One task; with <c>wait</c>, once it has ended or those seconds are over.</summary>
    private static async Task<Ok<TaskResource>> GetAsync(
        string id, Services services, CancellationToken stop, int wait = 0)
    {
        ApiInput.CheckRange("wait", wait, 0, LongestWait, " seconds");
        var order = await FindAsync(services, id, stop).ConfigureAwait(false);
        var view = await WaitAsync(services, id, TimeSpan.FromSeconds(wait), stop).ConfigureAwait(false);
        return TypedResults.Ok(TaskResource.Of(
            view, view.Tasks.GetValueOrDefault(id)?.Value ?? order, services.Tasks));
    }

    private static async Task<Accepted<TaskResource>> CancelAsync(string id, Services services, CancellationToken stop)
    {
        await FindAsync(services, id, stop).ConfigureAwait(false);
        var order = await services.TaskDesk.CancelAsync(id, stop).ConfigureAwait(false) ?? throw NotFound(id);
        return TypedResults.Accepted(
            $"/api/v1/tasks/{id}", TaskResource.Of(services.Cache.View, order, services.Tasks));
    }

    /// <summary>All that it has said so far, a line each; with <c>follow</c> until it has ended.</summary>
    private static async Task LogAsync(
        string id, HttpContext http, Services services, CancellationToken stop, bool follow = false)
    {
        await FindAsync(services, id, stop).ConfigureAwait(false);
        http.Response.ContentType = "text/plain; charset=utf-8";
        await foreach (var news in services.Tasks.FollowAsync(id, 0, stop).ConfigureAwait(false))
        {
            if (news.Line is { } line)
            {
                await http.Response.WriteAsync(line + "\n", stop).ConfigureAwait(false);
                if (follow)
                    await http.Response.Body.FlushAsync(stop).ConfigureAwait(false);
            }
            else if (!follow)
            {
                // The first news of progress comes when all lines so far have been told.
                return;
            }
        }
    }

    private static async IAsyncEnumerable<SseItem<TaskEvent>> EventsAsync(
        string id, long offset, Services services, [EnumeratorCancellation] CancellationToken stop)
    {
        var order = await FindAsync(services, id, stop).ConfigureAwait(false);
        await foreach (var news in services.Tasks.FollowAsync(id, offset, stop).ConfigureAwait(false))
        {
            yield return new SseItem<TaskEvent>(
                new TaskEvent { Line = news.Line, Progress = news.Progress }, news.Line is null ? "progress" : "line")
            {
                EventId = news.Offset.ToString(CultureInfo.InvariantCulture),
            };
        }

        // The state is written when the last line has been said.
        var view = await WaitAsync(services, id, TimeSpan.FromSeconds(LongestWait), stop).ConfigureAwait(false);
        var task = TaskResource.Of(view, view.Tasks.GetValueOrDefault(id)?.Value ?? order, services.Tasks);
        yield return new SseItem<TaskEvent>(new TaskEvent { Task = task }, "ended");
    }

    private static long Offset(HttpContext http)
    {
        if (http.Request.Headers["Last-Event-ID"] is not [{ Length: > 0 } text])
            return 0;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset : throw ApiInput.Invalid($"Last-Event-ID: expected a number as an event gave it, found '{text}'");
    }

    /// <summary>
    /// The view in which a task has ended or is forgotten, or the one when the patience is at its end.
    /// </summary>
    private static async Task<ClusterView> WaitAsync(
        Services services, string id, TimeSpan patience, CancellationToken stop) =>
        await services.Cache.WaitAsync(
            view => view.TaskStates.GetValueOrDefault(id)?.Value.HasEnded == true || !view.Tasks.ContainsKey(id),
            patience, services.Time, stop).ConfigureAwait(false) ?? services.Cache.View;

    /// <summary>The order of a task, also of one that was asked for a moment ago.</summary>
    private static async Task<TaskOrder> FindAsync(Services services, string id, CancellationToken stop)
    {
        if (!TaskRecords.IsId(id))
            throw NotFound(id);
        if (services.Cache.View.Tasks.GetValueOrDefault(id) is { } known)
            return known.Value;
        var found = await services.TaskDesk.FindAsync(id, stop).ConfigureAwait(false) ?? throw NotFound(id);
        await services.Cache.WaitAsync(view => view.Revision >= found.Revision, stop).ConfigureAwait(false);
        return found.Value;
    }

    private static TaskPhase PhaseOf(string text) =>
        Enum.TryParse<TaskPhase>(text, ignoreCase: true, out var phase) && Enum.IsDefined(phase)
            && !char.IsDigit(text[0])
            ? phase
            : throw ApiInput.Invalid($"phase: expected queued, running, done, failed or cancelled, found '{text}'");

    private static ProblemException NotFound(string id) => new(
        ProblemKind.NotFound, $"there is no task '{id}'",
        "GET /api/v1/tasks lists those that are kept; the oldest are forgotten");
}
