using Gantry.Control.Intents;
using Gantry.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Gantry.Control.Api;

/// <summary><c>/api/v1/node</c>: the node that answers.</summary>
internal static class NodeEndpoints
{
    private const int UsualDeadline = 180;
    private const int LongestDeadline = 3600;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/node", (Services services) => TypedResults.Ok(services.Node));
        api.MapPost("/node/shutdown-guests", ShutDownAsync);
        api.MapPost("/node/retire", Retire);
    }

    /// <summary>Has a private node make room for another program; its machines run on.</summary>
    private static Accepted Retire(Services services)
    {
        if (services.Retire is null)
        {
            throw new ProblemException(
                ProblemKind.Conflict, "this node was not started by a command, and is not ended by one",
                "end it where it was started; under systemd: systemctl stop gantry");
        }

        // This request is one.
        if (services.Requests.Open > 1 || !services.Cache.View.HasNoTasksUnderWay)
            throw new ProblemException(ProblemKind.InUse, "the node is working for another command", "try again later");
        services.Retire();
        return TypedResults.Accepted((string?)null);
    }

    /// <summary>Answers when all machines have ended, which may take as long as the deadline.</summary>
    private static async Task<Ok<GuestsShutdown>> ShutDownAsync(
        PowerBody? body, Services services, CancellationToken stop)
    {
        var seconds = body?.Timeout ?? UsualDeadline;
        ApiInput.CheckRange("timeout", seconds, 0, LongestDeadline, " seconds");
        var outcomes = await new HostShutdown(services.Cache, services.Desk, services.Time)
            .RunAsync(services.Node.Name, TimeSpan.FromSeconds(seconds), stop).ConfigureAwait(false);
        return TypedResults.Ok(new GuestsShutdown
        {
            Items = [.. outcomes.Select(one => new GuestShutdown { Machine = one.Key, Outcome = one.Value })],
        });
    }
}
