using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using Gantry.Control.Api;
using Gantry.Control.Cache;
using Gantry.Control.Consoles;
using Gantry.Control.Director;
using Gantry.Control.Intents;
using Gantry.Control.Tests.Consoles;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gantry.Control.Tests;

/// <summary>The API, the cache and the director over a store in memory; a test plays the agent.</summary>
internal sealed class ControlWorld : IAsyncDisposable
{
    public const string Node = "sirius";

    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-control-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _parts = [];
    private ApiServer? _api;
    private SocketsHttpHandler? _handler;

    public InMemoryStateStore Store { get; } = new();

    public HttpClient Http { get; private set; } = null!;

    public ClusterCache Cache { get; private set; } = null!;

    public PowerDesk Desk { get; private set; } = null!;

    public SaidTasks Tasks { get; } = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The node behind the consoles.</summary>
    public FakeNode ConsoleNode { get; } = new();

    public static Task<ControlWorld> MakeAsync(params IEnumerable<MachineRecord> machines) =>
        MakeAsync(new ConsoleLimits(), machines);

    public static Task<ControlWorld> MakeAsync(ConsoleLimits limits, params IEnumerable<MachineRecord> machines) =>
        MakeAsync(limits, retire: null, machines);

    /// <param name="retire">Called when a private node is to end; null makes it one that is not private.</param>
    /// <param name="machines">What is recorded before it begins.</param>
    public static Task<ControlWorld> MakeAsync(Action? retire, IEnumerable<MachineRecord> machines) =>
        MakeAsync(new ConsoleLimits(), retire, machines);

    private static async Task<ControlWorld> MakeAsync(
        ConsoleLimits limits, Action? retire, IEnumerable<MachineRecord> machines)
    {
        var world = new ControlWorld();
        foreach (var machine in machines)
            await world.PutAsync(machine);
        var cache = world.Cache = new ClusterCache(world.Store);
        var desk = world.Desk = new PowerDesk(world.Store, TimeProvider.System);
        var socket = Path.Combine(world._folder, "api.sock");
        world._parts.Add(cache.RunAsync(world._stop.Token));
        world._parts.Add(new MachineDirector(cache, world.Store, [Node]).RunAsync(world._stop.Token));
        await cache.WaitAsync(view => view.Revision >= 0, Token);
        world._api = new ApiServer(new ApiOptions
        {
            SocketPath = socket,
            Node = new NodeResource
            {
                Name = Node,
                Version = "test",
                Build = "test",
                Pid = 1,
                Started = DateTimeOffset.UnixEpoch,
                Private = retire is not null,
            },
            Retire = retire,
            Store = world.Store,
            Cache = cache,
            Desk = desk,
            Tasks = world.Tasks,
            NodeService = world.ConsoleNode,
            ConsoleLimits = limits,
            Time = TimeProvider.System,
            Logs = NullLoggerFactory.Instance,
        });
        await world._api.StartAsync(socket, Token);
        world._handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            },
        };
        world.Http = new HttpClient(world._handler)
        {
            BaseAddress = new Uri("http://node/api/v1/"),
        };
        return world;
    }

    public static MachineRecord Machine(
        int number, string name, MachineRole role = MachineRole.Ordinary, AutostartSpec? autostart = null) => new()
        {
            Number = new MachineNumber(number),
            Uuid = new Guid(number, 0, 0, new byte[8]),
            Spec = new MachineSpec { Name = name, Isa = Isa.X86_64, Autostart = autostart },
            Created = DateTimeOffset.UnixEpoch,
            InstanceId = $"i-{number}",
            Role = role,
        };

    public async Task PutAsync(MachineRecord machine) => await Store.CommitAsync(
        new StateTransaction
        {
            Then =
            [
                RunningRecords.Machines(Store).Put(RunningRecords.Id(machine.Number), machine),
            ],
        },
        Token);

    public async Task<(int Status, JsonElement Body)> GetAsync(string path) => await ReadAsync(await Http.GetAsync(path, Token));

    public async Task<(int Status, JsonElement Body)> PostAsync(string path, string? body = null, string type = "application/json") =>
        await ReadAsync(await Http.PostAsync(
            path, body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, type), Token));

    /// <summary>Opens a WebSocket at a path of the server.</summary>
    public async Task<ClientWebSocket> OpenAsync(string path, params IEnumerable<string> protocols)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        foreach (var protocol in protocols)
            socket.Options.AddSubProtocol(protocol);
        using var invoker = new HttpMessageInvoker(_handler!, disposeHandler: false);
        try
        {
            await socket.ConnectAsync(new Uri("ws://node" + path), invoker, Token);
            return socket;
        }
        catch (WebSocketException e)
        {
            var status = (int)socket.HttpStatusCode;
            socket.Dispose();
            throw new HttpRequestException($"the upgrade was answered with {status}", e, (System.Net.HttpStatusCode)status);
        }
    }

    /// <summary>Ends the server as its node's program does.</summary>
    public async Task EndAsync()
    {
        await _api!.DisposeAsync();
        _api = null;
    }

    /// <summary>Waits for the director's decision on a machine's newest intent.</summary>
    public async Task<MachineAssignment> AssignmentAsync(MachineRecord machine, long sequence)
    {
        await foreach (var news in RunningRecords.Assignments(Store).FollowAsync(Token))
        {
            if (news.All.GetValueOrDefault(RunningRecords.Id(machine.Number))?.Value is { } found && found.Intent.Sequence >= sequence)
                return found;
        }

        throw new InvalidOperationException("the stream ended");
    }

    /// <summary>Says that a machine is as its assignment wants it, as an agent does.</summary>
    public async Task SettleAsync(MachineAssignment assignment, MachinePhase phase) => await Store.CommitAsync(
        new StateTransaction
        {
            Then =
            [
                RunningRecords.Statuses(Store).Put(
                    RunningRecords.Id(assignment.Number),
                    new MachineStatus
                    {
                        Number = assignment.Number,
                        Machine = assignment.Machine,
                        Node = Node,
                        Epoch = assignment.Epoch,
                        Settled = assignment.Intent.Sequence,
                        Phase = phase,
                        Since = DateTimeOffset.UnixEpoch,
                    }),
            ],
        },
        Token);

    /// <summary>Says that the node's host has booted and its agent has looked at all machines.</summary>
    public async Task BootAsync(int boot) => await Store.CommitAsync(
        new StateTransaction
        {
            Then =
            [
                RunningRecords.Nodes(Store).Put(
                    Node,
                    new NodeStatus
                    {
                        Name = Node,
                        Boot = new Guid(boot, 0, 0, new byte[8]),
                        Since = DateTimeOffset.UnixEpoch,
                    }),
            ],
        },
        Token);

    /// <summary>Plays an agent until the world ends: each assignment is as the test says.</summary>
    public void Obey(Func<MachineAssignment, MachinePhase> phase) => _parts.Add(Task.Run(
        async () =>
        {
            await foreach (var news in RunningRecords.Assignments(Store).FollowAsync(_stop.Token))
            {
                foreach (var id in news.Changed)
                    await SettleAsync(news.All[id].Value, phase(news.All[id].Value));
            }
        },
        Token));

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_api is not null)
            await _api.DisposeAsync();
        await _stop.CancelAsync();
        await Task.WhenAll(_parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        await Store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<(int Status, JsonElement Body)> ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var body = await response.Content.ReadAsByteArrayAsync(Token);
            return ((int)response.StatusCode, body.Length == 0 ? default : JsonElement.Parse(body));
        }
    }
}
