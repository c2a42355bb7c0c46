using Gantry.Agent;
using Gantry.Agent.Tasks;
using Gantry.App.Commands;
using Gantry.App.Hosting;
using Gantry.Control.Api;
using Gantry.Control.Cache;
using Gantry.Control.Director;
using Gantry.Control.Intents;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Steps.Journals;
using Microsoft.Extensions.Logging;

namespace Gantry.App.Serving;

/// <summary>A node of one: the API, the director and the agent of this host, over the home's store.</summary>
internal sealed partial class NodeProcess(GantryNode node, bool isPrivate, ILoggerFactory logs)
{
    /// <summary>How long a private node stays without a request and without a machine to look after.</summary>
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan IdleLook = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan RepairInterval = TimeSpan.FromMinutes(5);

    private readonly TaskCompletionSource _retired = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILogger _log = logs.CreateLogger<NodeProcess>();

    /// <summary>Serves until it is cancelled, or a private node is not needed any more. The machines run on.</summary>
    /// <exception cref="ProblemException">It can't serve; nothing is decided without the whole of it.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var cache = new ClusterCache(node.Store);
        var name = Environment.MachineName;
        var desk = new PowerDesk(node.Store, node.Time);
        var director = new MachineDirector(cache, node.Store, [name]);
        var agent = new MachineAgent(
            new AgentNode(name, Guid.Parse(JournalOwner.Current.BootId)), node.Host, node.Machines, node.Store,
            node.Time,
            logs.CreateLogger<MachineAgent>(),
            (number, stop) => BackgroundMerge.BeginAsync(node, number, stop));
        var tasks = new TaskRunner(
            name, node.Store, new NodeWork(new MachineWork(MachineServicesOf(node)), node.Time),
            Path.Combine(node.Folders.Home, "tasks"), node.Time,
            logs.CreateLogger<TaskRunner>());
        var socket = NodeLock.SocketOf(node.Folders);
        await using var service = new NodeService(node.Host, node.Machines, node.Login, node.Time);
        await using var api = new ApiServer(new ApiOptions
        {
            SocketPath = socket,
            Retire = isPrivate ? () => _retired.TrySetResult() : null,
            Node = new NodeResource
            {
                Name = name,
                Version = ThisProgram.Version,
                Build = ThisProgram.Build,
                Pid = Environment.ProcessId,
                Started = node.Time.GetUtcNow(),
                Private = isPrivate,
            },
            Store = node.Store,
            Cache = cache,
            Desk = desk,
            Tasks = tasks,
            NodeService = service,
            Time = node.Time,
            Logs = logs,
        });
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = cache.RunAsync(end.Token);
        await Task.WhenAny(following, cache.WaitAsync(view => view.Revision >= 0, end.Token));
        List<Task> parts =
        [
            following, director.RunAsync(end.Token), agent.RunAsync(end.Token), tasks.RunAsync(end.Token),
            RepairNowAndThenAsync(end.Token),
        ];
        if (isPrivate)
            parts.Add(StayWhileNeededAsync(cache, api, end.Token));
        else
            parts.Add(StartWithHostAsync(cache, desk, name, end.Token));
        try
        {
            // Before, a machine that went down with its host would be told to run.
            await Task.WhenAny([agent.Ready, .. parts]);
            await api.StartAsync(socket, end.Token);
            Serving(_log, name, socket);
            var first = await Task.WhenAny(parts);
            await end.CancelAsync();
            await first;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Ended(_log, name);
        }
    }

    /// <summary>Other programs work on the home too, and those that die leave things behind.</summary>
    private async Task RepairNowAndThenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(RepairInterval, node.Time, cancellationToken);
            try
            {
                await node.RepairAsync(cancellationToken);
            }
            catch (ProblemException e)
            {
                NotRepaired(_log, e.Problem.Summary, e);
            }
        }
    }

    private Task StartWithHostAsync(
        ClusterCache cache, PowerDesk desk, string name, CancellationToken cancellationToken) =>
        new HostStartup(cache, node.Store, desk, node.Time, logs.CreateLogger<HostStartup>())
            .RunAsync(name, cancellationToken);

    /// <summary>
    /// Returns when nobody has asked anything for a while and no machine is to be looked after, or another program is
    /// to take over.
    /// </summary>
    private async Task StayWhileNeededAsync(ClusterCache cache, ApiServer api, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.WhenAny(_retired.Task, Task.Delay(IdleLook, node.Time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
            var idle = node.Time.GetUtcNow() - api.LastUse > IdleTime && !cache.View.Statuses.Values.Any(IsBusy)
                && cache.View.HasNoTasksUnderWay;
            if (_retired.Task.IsCompleted || idle || !File.Exists(node.Folders.StateFile))
                return;
        }

        static bool IsBusy(Model.State.Document<MachineStatus> status) =>
            status.Value.Phase != MachinePhase.Stopped || status.Value.NextRestart is not null;
    }

    private static MachineServices MachineServicesOf(GantryNode node) => new()
    {
        Folders = node.Folders,
        Machines = node.Machines,
        Templates = node.Templates,
        Launcher = node.Launcher,
        Remover = node.Remover,
        Host = node.Host,
        Snapshots = node.Snapshots,
        SnapshotDeleter = node.SnapshotDeleter,
        Reverter = node.Reverter,
        OnLonger = (number, stop) => BackgroundMerge.BeginAsync(node, number, stop),
    };

    [LoggerMessage(LogLevel.Error, "What a crash left could not be put right: {Reason}")]
    private static partial void NotRepaired(ILogger log, string reason, Exception exception);

    [LoggerMessage(LogLevel.Information, "Node {Name} serves on {Socket}")]
    private static partial void Serving(ILogger log, string name, string socket);

    [LoggerMessage(LogLevel.Information, "Node {Name} has ended; its machines run on")]
    private static partial void Ended(ILogger log, string name);
}
