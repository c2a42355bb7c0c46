using Gantry.Control.Cache;
using Gantry.Control.Consoles;
using Gantry.Control.Intents;
using Gantry.Control.Tasks;
using Gantry.Model.State;
using Gantry.Model.Tasks;

namespace Gantry.Control.Api;

/// <summary>What the endpoints work with.</summary>
internal sealed record Services
{
    public required IStateStore Store { get; init; }

    public required ClusterCache Cache { get; init; }

    public required PowerDesk Desk { get; init; }

    public required TaskDesk TaskDesk { get; init; }

    public required INodeTasks Tasks { get; init; }

    public required ConsoleDesk Consoles { get; init; }

    public required TimeProvider Time { get; init; }

    public required NodeResource Node { get; init; }

    public required RequestCount Requests { get; init; }

    /// <summary>Ends the node; null where that is not the API's to do.</summary>
    public required Action? Retire { get; init; }

    public StateIdentity Identity => Store.Identity;
}
