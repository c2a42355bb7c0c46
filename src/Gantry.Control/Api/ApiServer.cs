using Gantry.Control.Api.Machines;
using Gantry.Control.Api.Tasks;
using Gantry.Control.Cache;
using Gantry.Control.Consoles;
using Gantry.Control.Intents;
using Gantry.Control.Tasks;
using Gantry.Model;
using Gantry.Model.Nodes;
using Gantry.Model.State;
using Gantry.Model.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gantry.Control.Api;

/// <summary>Where the API listens, and what it serves.</summary>
public sealed record ApiOptions
{
    /// <summary>Of whom the socket's folder decides who may connect: whoever can, may do all.</summary>
    public required string SocketPath { get; init; }

    public required NodeResource Node { get; init; }

    /// <summary>Ends the node when another program is to take its place; null where it may not.</summary>
    public Action? Retire { get; init; }

    public required IStateStore Store { get; init; }

    public required ClusterCache Cache { get; init; }

    public required PowerDesk Desk { get; init; }

    public required INodeTasks Tasks { get; init; }

    /// <summary>This node's machines, for what does not go through the store.</summary>
    public required INodeService NodeService { get; init; }

    public ConsoleLimits ConsoleLimits { get; init; } = new();

    public required TimeProvider Time { get; init; }

    public required ILoggerFactory Logs { get; init; }
}

/// <summary>The native API, <c>/api/v1</c>, on a Unix socket.</summary>
public sealed class ApiServer : IAsyncDisposable
{
    /// <summary>How long requests under way may take to end when the node does.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    /// <summary>Bytes; bodies that may be longer have endpoints of their own.</summary>
    private const long LongestBody = 2 * 1024 * 1024;

    private readonly WebApplication _app;
    private readonly RequestCount _requests;

    public ApiServer(ApiOptions options)
    {
        _requests = new RequestCount(options.Time);
        // Empty: what else there would be reads settings from files, and watches those for changes.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRouting();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LongestBody;
            kestrel.ListenUnixSocket(options.SocketPath, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddSingleton(options.Logs);
        builder.Services.AddSingleton(new Services
        {
            Store = options.Store,
            Cache = options.Cache,
            Desk = options.Desk,
            TaskDesk = new TaskDesk(options.Store, options.Time, SystemEntropy.Instance),
            Tasks = options.Tasks,
            Consoles = new ConsoleDesk(options.NodeService, options.ConsoleLimits, options.Time, options.Logs),
            Time = options.Time,
            Node = options.Node,
            Requests = _requests,
            Retire = options.Retire,
        });
        builder.Services.Configure<JsonOptions>(json => ApiJson.Configure(json.SerializerOptions));
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        // The program's own signals end it, in its own order.
        builder.Services.AddSingleton<Microsoft.Extensions.Hosting.IHostLifetime, NoLifetime>();
        _app = builder.Build();
        _app.Use(next => http => _requests.CountAsync(next, http));
        _app.UseMiddleware<ProblemResponses>();
        _app.UseWebSockets();
        _app.MapGet("/healthz", () => TypedResults.Text("ok\n"));
        _app.MapGet("/readyz", (Services services) => services.Cache.View.Revision >= 0
            ? Results.Text("ok\n") : Results.Text("the store has not been read yet\n", statusCode: 503));
        var api = _app.MapGroup("/api/v1");
        NodeEndpoints.Map(api);
        MachineEndpoints.Map(api);
        MachineTaskEndpoints.Map(api);
        TaskEndpoints.Map(api);
        BuildEndpoints.Map(api);
        ConsoleEndpoints.Map(api);
    }

    /// <summary>When the last request ended; now while one is under way.</summary>
    public DateTimeOffset LastUse => _requests.LastUse;

    /// <summary>Listens; returns at once.</summary>
    /// <exception cref="ProblemException">It can't.</exception>
    public async Task StartAsync(string socketPath, CancellationToken cancellationToken)
    {
        try
        {
            // Whoever holds the node's lock owns the socket: what is there is a dead node's.
            File.Delete(socketPath);
            await _app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"the API can't listen on {socketPath}: {e.Message}", inner: e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(Farewell);
        await _app.StopAsync(limit.Token).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class NoLifetime : Microsoft.Extensions.Hosting.IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
