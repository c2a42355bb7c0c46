using System.Reflection;
using Gantry.Agent;
using Gantry.App.Commands;
using Gantry.App.Hosting;
using Gantry.Control.Api;
using Gantry.Control.Cache;
using Gantry.Control.Director;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Microsoft.Extensions.Logging;

namespace Gantry.App.Serving;

/// <summary>A node of one: the API, the director and the agent of this host, over the home's store.</summary>
internal sealed partial class NodeProcess(GantryNode node, bool isPrivate, ILoggerFactory logs)
{
    /// <summary>How long a private node stays without a request and without a machine to look after.</summary>
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan IdleLook = TimeSpan.FromSeconds(1);

    private readonly ILogger _log = logs.CreateLogger<NodeProcess>();

    /// <summary>Serves until it is cancelled, or a private node is not needed any more. The machines run on.</summary>
    /// <exception cref="ProblemException">It can't serve; nothing is decided without the whole of it.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var cache = new ClusterCache(node.Store);
        var name = Environment.MachineName;
        var director = new MachineDirector(cache, node.Store, [name]);
        var agent = new MachineAgent(
            name, node.Host, node.Machines, node.Store, node.Time, logs.CreateLogger<MachineAgent>(),
            (number, stop) => BackgroundMerge.BeginAsync(node, number, stop));
        var socket = NodeLock.SocketOf(node.Folders);
        await using var service = new NodeService(node.Host, node.Machines, node.Login, node.Time);
        await using var api = new ApiServer(new ApiOptions
        {
            SocketPath = socket,
            Node = new NodeResource
            {
                Name = name,
                Version = typeof(NodeProcess).Assembly
                    .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
                Pid = Environment.ProcessId,
                Started = node.Time.GetUtcNow(),
                Private = isPrivate,
            },
            Store = node.Store,
            Cache = cache,
            NodeService = service,
            Time = node.Time,
            Logs = logs,
        });
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = cache.RunAsync(end.Token);
        await Task.WhenAny(following, cache.WaitAsync(view => view.Revision >= 0, end.Token));
        List<Task> parts = [following, director.RunAsync(end.Token), agent.RunAsync(end.Token)];
        if (isPrivate)
            parts.Add(StayWhileNeededAsync(cache, api, end.Token));
        try
        {
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

    /// <summary>Returns when nobody has asked anything for a while and no machine is to be looked after.</summary>
    private async Task StayWhileNeededAsync(ClusterCache cache, ApiServer api, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(IdleLook, node.Time, cancellationToken);
            var idle = node.Time.GetUtcNow() - api.LastUse > IdleTime && !cache.View.Statuses.Values.Any(IsBusy);
            if (idle || !File.Exists(node.Folders.StateFile))
                return;
        }

        static bool IsBusy(Model.State.Document<MachineStatus> status) =>
            status.Value.Phase != MachinePhase.Stopped || status.Value.NextRestart is not null;
    }

    [LoggerMessage(LogLevel.Information, "Node {Name} serves on {Socket}")]
    private static partial void Serving(ILogger log, string name, string socket);

    [LoggerMessage(LogLevel.Information, "Node {Name} has ended; its machines run on")]
    private static partial void Ended(ILogger log, string name);
}
