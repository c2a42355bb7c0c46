using Gantry.Control.Consoles;
using Gantry.Model;
using Gantry.Model.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Gantry.Control.Api.Machines;

/// <summary>What is seen of a running machine, and typed at it: nothing of this goes through the store.</summary>
internal static class ConsoleEndpoints
{
    private const int UsualLines = 1000;
    private const int MostLines = 1_000_000;

    /// <summary>Characters; typed at the speed of a fast person, they take an hour.</summary>
    private const int MostKeys = 64 * 1024;

    private static readonly TimeSpan LongestTyping = TimeSpan.FromMinutes(60);

    /// <summary>A log that has nothing to say yet begins with its headers.</summary>
    private static readonly TimeSpan FirstPiece = TimeSpan.FromMilliseconds(500);

    public static void Map(IEndpointRouteBuilder api)
    {
        var machine = api.MapGroup("/machines/{machine}");
        machine.MapPost("/console", IssueAsync);
        // HTTP/2 opens WebSockets with CONNECT (RFC 8441).
        machine.MapMethods("/console/ws", [HttpMethods.Get, HttpMethods.Connect], ServeAsync);
        machine.MapGet("/screenshot", ScreenshotAsync);
        machine.MapGet("/logs", LogsAsync);
        machine.MapPost("/keys", TypeAsync);
    }

    private static async Task<Ok<ConsoleTicketResource>> IssueAsync(
        string machine, ConsoleBody body, HttpContext http, Services services, CancellationToken stop)
    {
        var request = ConsoleRequests.Read(body);
        var key = await KeyAsync(services, machine, stop).ConfigureAwait(false);
        var (text, ticket) = await services.Consoles.IssueAsync(key, request, stop).ConfigureAwait(false);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new ConsoleTicketResource
        {
            Ticket = text,
            Path = $"/api/v1/machines/{key.Number}/console/ws?ticket={text}",
            Protocol = ConsoleWire.For(request).Protocol,
            Expires = ticket.Expires,
        });
    }

    private static async Task ServeAsync(
        string machine, HttpContext http, Services services, IHostApplicationLifetime lifetime, CancellationToken stop,
        string? ticket = null)
    {
        var key = await KeyAsync(services, machine, stop).ConfigureAwait(false);
        await services.Consoles.ServeAsync(http, key, ticket, lifetime.ApplicationStopping).ConfigureAwait(false);
    }

    private static async Task<FileContentHttpResult> ScreenshotAsync(
        string machine, HttpContext http, Services services, CancellationToken stop)
    {
        var key = await KeyAsync(services, machine, stop).ConfigureAwait(false);
        var png = await services.Consoles.Node.ScreenshotAsync(key, stop).ConfigureAwait(false);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Bytes(png, "image/png");
    }

    private static async Task LogsAsync(
        string machine, HttpContext http, Services services, IHostApplicationLifetime lifetime, CancellationToken stop,
        string source = "serial", int lines = UsualLines, bool follow = false)
    {
        ApiInput.CheckRange("lines", lines, 0, MostLines);
        var request = new LogRequest
        {
            Source = source switch
            {
                "serial" => LogSource.Serial,
                "qemu" => LogSource.Qemu,
                _ => throw ApiInput.Invalid($"source: expected serial or qemu, found '{source}'"),
            },
            Lines = lines,
            Follow = follow,
        };
        var key = await KeyAsync(services, machine, stop).ConfigureAwait(false);
        using var place = services.Consoles.Enter();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, lifetime.ApplicationStopping);
        try
        {
            await CopyAsync(
                http.Response, services.Consoles.Node.ReadLogAsync(key, request, end.Token), services.Time, end.Token)
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // What was sent is all that there is to say.
        }
    }

    /// <summary>Copies a log; what it fails with before its first piece is still a problem's answer.</summary>
    private static async Task CopyAsync(
        HttpResponse response, IAsyncEnumerable<ReadOnlyMemory<byte>> log, TimeProvider time, CancellationToken stop)
    {
        await using var pieces = log.GetAsyncEnumerator(stop);
        var next = pieces.MoveNextAsync().AsTask();
        using (var waited = CancellationTokenSource.CreateLinkedTokenSource(stop))
        {
            await Task.WhenAny(next, Task.Delay(FirstPiece, time, waited.Token)).ConfigureAwait(false);
            await waited.CancelAsync().ConfigureAwait(false);
        }

        if (next.IsFaulted)
            await next.ConfigureAwait(false);
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.CacheControl = "no-store";
        await response.StartAsync(CancellationToken.None).ConfigureAwait(false);
        while (await next.ConfigureAwait(false))
        {
            await response.Body.WriteAsync(pieces.Current, stop).ConfigureAwait(false);
            await response.Body.FlushAsync(stop).ConfigureAwait(false);
            next = pieces.MoveNextAsync().AsTask();
        }
    }

    private static async Task<NoContent> TypeAsync(
        string machine, KeysBody body, Services services, CancellationToken stop)
    {
        if (body.Keys is null or [] || body.Keys.Any(one => one is null))
            throw ApiInput.Invalid("keys: expected at least one text, found none");
        if (body.Keys.Sum(one => (long)one.Length) is var length and > MostKeys)
            throw ApiInput.Invalid($"keys: expected at most {MostKeys} characters, found {length}");
        var key = await KeyAsync(services, machine, stop).ConfigureAwait(false);
        using var place = services.Consoles.Enter();
        using var limit = new CancellationTokenSource(LongestTyping, services.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            await services.Consoles.Node.TypeAsync(key, body.Keys, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new ProblemException(
                ProblemKind.TimedOut, $"the keys were not typed within {LongestTyping.TotalMinutes:0} minutes");
        }

        return TypedResults.NoContent();
    }

    private static async Task<MachineKey> KeyAsync(Services services, string machine, CancellationToken stop) =>
        MachineKey.Of(await MachineEndpoints.FindNowAsync(services, machine, stop).ConfigureAwait(false));
}
